import tempfile
from pathlib import Path
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from fetalstream.streamer.region.fan import FanKind
from fetalstream.streamer.region.profiles import Profile, load_profile, write_profile

places = st.integers(0, 4000) | st.floats(0, 4000)
above_nothing = st.none() | st.floats(1e-6, 1e3)
row = st.text("0123456789abcdef.", min_size=32, max_size=32)


@settings(deadline=None, max_examples=30)
@given(
    st.builds(
        Profile,
        name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True),
        width=st.integers(1, 4000),
        height=st.integers(1, 4000),
        kind=st.sampled_from(get_args(FanKind)),
        sector=st.tuples(places, places, places).map(lambda at: [[at[0], 0], [at[1] + 1, 5000.5], [at[2], 9000]]),
        tick_mm=above_nothing,
        spacing_mm=above_nothing,
        look=st.just([]) | row.map(lambda one: [one] * 24),
    )
)
def test_whatever_is_written_is_read_as_the_same(profile):
    with tempfile.TemporaryDirectory() as folder:
        path = write_profile(profile, Path(folder))
        assert path.name == f"{profile.name}.toml"
        assert load_profile(str(path)) == profile
        assert [each.name for each in path.parent.iterdir()] == [path.name]
