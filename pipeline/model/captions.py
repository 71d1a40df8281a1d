"""Captions that the text tower of ``mini`` is trained on: other wordings of what the prompts folder says."""

from __future__ import annotations

from typing import Final

PLANE_NAMES: Final = {
    "abdomen": ("fetal abdomen", "abdominal circumference view", "stomach and umbilical vein", "fetal belly"),
    "brain": ("fetal brain", "fetal head", "head circumference view", "axial view of the skull"),
    "femur": ("fetal femur", "femur length view", "thigh bone", "fetal leg bone"),
    "heart": ("fetal heart", "four-chamber view", "four chamber view of the heart", "fetal thorax"),
    "kidney": ("fetal kidneys", "fetal kidney", "renal view", "kidneys beside the spine"),
    "lips_nose": ("lips and nose", "fetal lips", "upper lip and nostrils", "coronal face view"),
    "profile_patient": ("fetal profile", "facial profile", "nasal bone view", "face from the side"),
    "spine": ("fetal spine", "sagittal spine", "vertebral column", "fetal backbone"),
    "cervix": ("maternal cervix", "cervix", "cervical canal", "cervical length view"),
    "other": ("no standard plane", "nothing recognisable", "placenta", "amniotic fluid", "umbilical cord"),
    "trans-thalamic": ("trans-thalamic plane", "thalami", "biparietal diameter plane"),
    "trans-cerebellum": ("trans-cerebellar plane", "cerebellum", "posterior fossa", "cisterna magna"),
    "trans-ventricular": ("trans-ventricular plane", "lateral ventricles", "choroid plexus"),
}  # fmt: skip

CAPTION_TEMPLATES: Final = (
    "{}",
    "{}.",
    "the {}",
    "a {}",
    "ultrasound of the {}",
    "ultrasound image of the {}.",
    "an ultrasound scan showing {}",
    "B-mode picture of {}.",
    "this frame shows the {}",
    "view of the {}",
    "standard plane: {}",
    "find the {}",
)

# Sentences about age, used beside the templates of the prompts folder and filled in the same way.
AGE_TEMPLATES: Final = (
    "Fetal head at {weeks} weeks {days} days, {spacing} mm per pixel.",
    "fetal brain, {weeks}w{days}d, spacing {spacing} mm",
    "Brain of a fetus of {weeks} weeks and {days} days with a pixel size of {spacing} mm.",
)
