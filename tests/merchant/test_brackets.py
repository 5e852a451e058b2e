"""Names with brackets, in all the spellings that clients use."""

from __future__ import annotations

import pytest
from django.http import QueryDict

from merchant.brackets import gather, nest


@pytest.mark.parametrize(
    "query", ["a=1&a=2", "a[]=1&a[]=2", "a[0]=1&a[1]=2", "a[1]=2&a[0]=1", "a=1&a[1]=2"]
)
def test_a_list_may_be_spelled_in_many_ways(query: str) -> None:
    assert gather(QueryDict(query).lists()) == {"a": ["1", "2"]}


def test_a_word_in_brackets_is_a_part_of_the_name() -> None:
    query = QueryDict("created%5Bgte%5D=1&created[lt]=2&amount[eq][0]=3")
    assert gather(query.lists()) == {
        "created[gte]": ["1"],
        "created[lt]": ["2"],
        "amount[eq]": ["3"],
    }


@pytest.mark.parametrize("name", ["[", "]", "[]", "a[", "a]", "a[[0]]", "a[99999]", ""])
def test_odd_names_break_nothing(name: str) -> None:
    query = QueryDict(mutable=True)
    query[name] = "1"
    assert list(gather(query.lists()).values()) == [["1"]]


def test_a_form_stands_for_an_object() -> None:
    form = QueryDict("a[]=1&b=1&m[x]=1&m[y][gte]=2&m[y][lt]=3&m[z][]=4&m[z][]=5")
    assert nest(form.lists()) == {
        "a": ["1"],
        "b": "1",
        "m": {"x": "1", "y": {"gte": "2", "lt": "3"}, "z": ["4", "5"]},
    }
