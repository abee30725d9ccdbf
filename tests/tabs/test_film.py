import subprocess

import imageio_ffmpeg
import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

from gan_core import UsageError
from gan_core.latent import latents
from gan_core.pictures import to_pil
from tabs.film import MIN_SIDE, frames, scale_of, write
from tabs.interpolate import Walk, film, live, read_seeds
from tests.tabs.tiny import tiny_model

WALK = Walk((3, 14, 15), loop=False)


@pytest.fixture(scope="module")
def model():
    return tiny_model()


def make(walk, model, count, kind, fps=10):
    *_, (done, file) = film(walk, model, count, fps, kind)
    assert done == count
    return file


def test_a_gif_holds_every_frame_bit_for_bit_and_repeats(model):
    with Image.open(make(WALK, model, 20, "gif")) as gif:
        shown = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(gif)]
        assert (gif.info["loop"], gif.info["duration"]) == (0, 100)
    wanted = [np.asarray(picture) for picture in frames(model, WALK.latents(model, 20), None, {})]
    assert len(shown) == 20
    assert all(np.array_equal(a, b) for a, b in zip(shown, wanted, strict=True))


def test_an_mp4_holds_every_frame_at_its_rate(model):
    file = make(WALK, model, 20, "mp4")
    assert imageio_ffmpeg.count_frames_and_secs(file) == (20, 2.0)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", file, "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    shown = np.frombuffer(subprocess.check_output(command), np.uint8).reshape(20, MIN_SIDE, MIN_SIDE)
    wanted = np.asarray(to_pil(WALK.decode(model, WALK.latents(model, 20))[7], scale_of(model.image_size)))
    assert np.abs(shown[7].astype(int) - wanted).mean() < 6  # H.264 loses a little


@pytest.mark.parametrize("size", [1, 7, 28, 32, 33, 64, 255, 256, 257])
def test_films_are_large_and_even(size):
    side = size * scale_of(size)
    assert side >= MIN_SIDE
    assert side % 2 == 0


@pytest.mark.parametrize("suffix", [".gif", ".mp4"])
def test_a_film_that_is_cancelled_leaves_no_file(tmp_path, suffix):
    pictures = (Image.new("L", (256, 256), k) for k in range(100))
    writing = write(tmp_path / f"a{suffix}", pictures, 256, 10)
    assert next(writing) == 1
    assert next(writing) == 2
    writing.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("count", "fps", "kind", "sentence"),
    [
        (241, 10, "gif", "number of frames is '241'; it takes a whole number from 2 to 240"),
        (2, 10, "gif", "2 frames cannot visit 3"),
        (20, 0, "gif", "frames per second is '0'"),
        (20, 31, "gif", "from 1 to 30"),
        (20, 10, "webm", "no film format 'webm'"),
    ],
)
def test_films_that_cannot_be(model, count, fps, kind, sentence):
    with pytest.raises(UsageError, match=sentence):
        next(film(WALK, model, count, fps, kind))


@pytest.mark.parametrize(
    ("text", "seeds"), [("3, 14,15", (3, 14, 15)), ("3 14", (3, 14)), (" 7,\n8 ", (7, 8)), ("3,,4", (3, 4))]
)
def test_key_seeds_are_read_with_commas_or_blanks(text, seeds):
    assert read_seeds(text) == seeds


@pytest.mark.parametrize("word", ["x", "-3", "1.5", "1e3", "²", "٣", "9" * 5000])
def test_what_is_no_seed_is_named(word):
    with pytest.raises(UsageError, match="is no seed; give whole numbers"):
        read_seeds(f"3, {word}")


@pytest.mark.parametrize(
    ("walk", "sentence"),
    [
        ({"seeds": (3,)}, "There are 1 key seeds; a walk takes 2 to 12"),
        ({"seeds": tuple(range(13))}, "There are 13"),
        ({"seeds": (3, 2**32)}, "key seed is '4294967296'"),
        ({"seeds": (3, 4), "path": "polar"}, "The path is 'polar'; it takes slerp or lerp"),
    ],
)
def test_walks_that_cannot_be(walk, sentence):
    with pytest.raises(UsageError, match=sentence):
        Walk(**walk)


@pytest.mark.parametrize(
    ("loop", "mix", "leg"),
    [
        (False, 0.0, (3, 14, 0.0)), (False, 0.25, (3, 14, 0.5)), (False, 0.5, (14, 15, 0.0)),
        (False, 1.0, (14, 15, 1.0)),
        (True, 1.0, (15, 3, 1.0)), (True, 0.5, (14, 15, 0.5)), (True, 7.0, (15, 3, 1.0)), (True, -1.0, (3, 14, 0.0)),
    ],
)  # fmt: skip
def test_the_slider_goes_along_the_whole_walk(loop, mix, leg):
    assert Walk((3, 14, 15), loop=loop).leg(mix) == leg


def test_the_live_picture_lies_between_its_two_seeds(model):
    (a, _), (middle, label), (b, _) = live(WALK, model, 0.25)
    ends = model.decode(torch.cat([latents(3, 1, model.latent_dim), latents(14, 1, model.latent_dim)]))
    scale = scale_of(model.image_size)
    assert [a, b] == [to_pil(ends[0], scale), to_pil(ends[1], scale)]
    assert middle == to_pil(WALK.decode(model, WALK.latents(model, 5))[1], scale)
    assert label == "50 %"


def test_a_walk_of_a_conditional_model_stays_in_one_class():
    model = tiny_model(classes=("zero", "one"))
    assert Walk((1, 2)).label_of(model) == 0
    assert Walk((1, 2), label=1).label_of(model) == 1
    assert make(Walk((1, 2), label=1), model, 17, "gif").exists()
