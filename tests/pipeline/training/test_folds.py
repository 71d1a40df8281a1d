import collections
from pathlib import Path

import pytest

from fetalstream.pipeline.training import folds
from fetalstream.pipeline.training.folds import FOLDS, NEVER, ReservedSubjectError, fold_of, refuse_reserved
from fetalstream.pipeline.training.real_pictures import all_pictures, training_pictures


def test_a_training_that_reads_a_validation_subject_is_refused():
    reserved = next(
        subject for (dataset, subject), fold in folds._table().items() if (dataset, fold) == ("hc18", NEVER)
    )
    for held_out in (None, 0, 3):
        with pytest.raises(ReservedSubjectError, match="validation"):
            refuse_reserved("hc18", reserved, held_out)


def test_a_fold_that_is_held_out_is_refused_and_the_others_are_not():
    fold = fold_of("fetal_planes", "00168")
    with pytest.raises(ReservedSubjectError, match="00168"):
        refuse_reserved("fetal_planes", "00168", fold)
    for other in {None, *range(FOLDS)} - {fold}:
        refuse_reserved("fetal_planes", "00168", other)


def test_a_subject_that_nobody_listed_is_refused():
    with pytest.raises(ReservedSubjectError, match="not in subjects"):
        refuse_reserved("fetal_planes", "99999", None)


def test_both_numbers_of_one_patient_have_one_fold():
    listed = {subject for dataset, subject in folds._table() if dataset == "fetal_planes"}
    assert {"00779", "00781", "00786", "00820"} <= listed
    assert not {"00791", "00793", "00799", "00830"} & listed


def test_every_handed_picture_is_of_a_listed_subject_and_classes_are_spread(test_data: Path):
    counts = collections.defaultdict(collections.Counter)
    for picture in all_pictures(test_data):
        counts[picture.dataset, picture.label, picture.subplane][picture.fold] += 1
    for kind in (("fetal_planes", "cervix", None), ("fetal_planes", "other", None), ("hc18", "brain", None)):
        assert set(range(FOLDS)) <= set(counts[kind])
    abdomens = counts["fetal_planes", "abdomen", None]
    assert max(abdomens.values()) - min(abdomens.values()) <= 2
    assert counts["hc18", "brain", None][NEVER] == 147


def test_no_picture_of_a_held_out_fold_is_trained_on(test_data: Path):
    for held_out in (None, 2):
        pictures = training_pictures(test_data, held_out)
        assert not {held_out, NEVER} & {picture.fold for picture in pictures}
    without = training_pictures(test_data, None, "Aloka")
    assert "Aloka" not in {picture.machine for picture in without}
    assert len(without) < len(training_pictures(test_data, None))
