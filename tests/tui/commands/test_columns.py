from fetalstream.tui.commands.columns import columns


def test_columns_line_up_and_end_without_blanks():
    assert columns([("A", "BB", "C"), ("aaa", "b", "")]) == ["A    BB  C", "aaa  b"]
