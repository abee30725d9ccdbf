import subprocess

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image, ImageSequence

from gan_core import UsageError
from gan_core.pictures import to_pil
from tabs.film import MIN_SIDE, frames, scale_of, write
from tabs.walk import Walk, film
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
    wanted = np.asarray(to_pil(WALK.decode(model, 20)[7], scale_of(model.image_size)))
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


def test_frames_of_a_morph_are_those_of_the_walk():
    model = tiny_model("biggan", classes=("zero", "one", "two"))
    walk = Walk((3, 14), label=0, goal=2)
    shown = frames(model, walk.latents(model, 19), walk.labels(model, walk.positions(19)), {})
    assert list(shown) == [to_pil(picture, scale_of(16)) for picture in walk.decode(model, 19)]
