"""Cards: what they say of a model, also of a stranger's."""

import pytest

from gan_core.card import sheet_layout, write_card

DESCRIBED = {
    "recipe": "cgan",
    "config": {"image_size": 32},
    "image": {"size": 32, "channels": 1, "range": [-1, 1]},
    "classes": None,
    "training": {"dataset": "openmoji", "images_seen": 128_000, "steps": 2000, "seconds": 3725.0, "threads": 1},
    "metrics": {},
}


def card(**changes):
    return write_card("name", DESCRIBED | changes, parameter_bytes=1_500_000)


def test_how_it_was_trained_and_whose_pictures_they_are():
    said = card()
    assert "| Trained on | openmoji (OpenMoji (the open-source emoji and icon project), CC BY-SA 4.0;" in said
    assert "| Time in training steps | 1 h 2 min with 1 thread |" in said and "| Real images seen | 128,000 |" in said
    assert "1 h 2 min with 2 threads |" in card(training=DESCRIBED["training"] | {"threads": 2})
    for threads in (None, "<b>"):  # of a run on a machine that nobody asked, of a stranger
        assert "1 h 2 min |" in card(training=DESCRIBED["training"] | {"threads": threads})
    assert "| Trained on | /my/cats (the pictures' own) |" in card(
        training=DESCRIBED["training"] | {"dataset": "/my/cats"}
    )


def test_of_a_conditional_model_the_classes_and_how_to_ask_for_one():
    assert "Classes" not in card() and "labels=" not in card() and "64 pictures of seed 0, not selected.\n" in card()
    said = card(classes=["cat", "dog", "[x](y)"])
    assert "(conditional)" in said and "| Classes | cat, dog, &#91;x&#93;&#40;y&#41; |" in said
    assert "60 pictures of seed 0, not selected, each column of one class.\n" in said and "labels=0" in said


def test_very_many_classes_are_not_all_listed():
    said = card(classes=[f"c{k}" for k in range(1000)])
    assert "c15 and 984 more |" in said and "c16" not in said
    assert "64 pictures of seed 0, not selected.\n" in said


@pytest.mark.parametrize(
    ("count", "layout"), [(0, (64, 8)), (1, (64, 8)), (3, (60, 6)), (9, (63, 9)), (10, (60, 10)), (17, (64, 8))]
)
def test_each_column_of_a_sheet_shows_one_of_a_few_classes(count, layout):
    assert sheet_layout([str(k) for k in range(count)] or None) == layout
