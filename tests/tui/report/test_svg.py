from xml.etree import ElementTree

from matplotlib.figure import Figure

from fetalstream.tui.report.svg import drawn


def sketch(words="$\\frac$ <b>", name="a-wide"):
    figure = Figure()
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], "o-", color="#010203", label=words)
    axes.set_title(words)
    axes.legend()
    return drawn(figure, name=name, label=words, colours={"#010203": "var(--ink)"})


def test_a_drawing_fits_a_page_that_allows_no_styles():
    text = sketch()
    root = ElementTree.fromstring(text)
    assert root.get("class") == "wide"
    assert "var(--ink)" in text
    for element in root.iter():
        assert "style" not in element.attrib
        assert not element.tag.endswith(("}style", "}metadata", "}script"))
        assert "#010203" not in element.attrib.values()
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_words_are_neither_mathematics_nor_markup():
    text = sketch()
    assert "&lt;b&gt;" in text
    assert "\\frac" in text
    assert sketch("\u7a4d \U0001f600")  # which matplotlib's own font does not have


def test_two_drawings_of_a_page_share_no_identifier():
    names = [
        {element.get("id") for element in ElementTree.fromstring(sketch(name=name)).iter()} - {None}
        for name in ("a-wide", "b-wide")
    ]
    assert names[0]
    assert names[0] & names[1] == set()


def test_what_is_referred_to_is_there():
    root = ElementTree.fromstring(sketch())
    ids = {element.get("id") for element in root.iter()}
    assert {element.get("href")[1:] for element in root.iter() if element.get("href")} <= ids
