"""Uploads: what comes back, what is left of what was sent, and what is refused."""

import io
import subprocess
import zlib
from base64 import b64encode
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image

from bus_server import run
from rostra.core.limits import MEDIA_PICTURE_BYTES_MAX
from site_kit import Kit, site_kit


def _picture(kind: str = "PNG", size: tuple[int, int] = (600, 400), mode: str = "RGB", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, options.pop("color", None) or 0).save(buffer, kind, **options)
    return buffer.getvalue()


def _film(folder: Path, *arguments: str, name: str) -> bytes:
    path = folder / name
    subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments, str(path)], check=True)
    return path.read_bytes()


def _video(folder: Path, name: str = "film.webm", codec: str = "libvpx") -> bytes:
    return _film(
        folder, "-f", "lavfi", "-i", "testsrc=d=1:s=560x320:r=10", "-f", "lavfi", "-i", "sine=d=1",
        "-c:v", codec, "-metadata", "title=secret place", name=name,
    )  # fmt: skip


async def _upload(client: httpx2.AsyncClient, content: bytes, name: str = "file", **fields: str) -> httpx2.Response:
    return await client.post("/api/v2/media", files={"file": (name, content)}, data=fields)


async def _fetch(kit: Kit, url: str) -> Image.Image:
    answer = await kit.anonymous.get(url)
    assert answer.status_code == 200
    return Image.open(io.BytesIO(answer.content))


def test_a_picture_is_ready_at_once_with_its_sizes_preview_and_blurhash(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            answer = await _upload(ann, _picture(), description="A wall", focus="-0.5,0.3")
            assert answer.status_code == 200
            media = answer.json()
            assert media["type"] == "image"
            assert media["meta"]["original"] == {"width": 600, "height": 400, "size": "600x400", "aspect": 1.5}
            assert media["meta"]["small"]["width"] == 588  # 230,400 pixels
            assert media["meta"]["focus"] == {"x": -0.5, "y": 0.3}
            assert (media["description"], len(media["blurhash"])) == ("A wall", 28)
            assert (await _fetch(kit, media["url"])).size == (600, 400)
            assert (await ann.get(f"/api/v1/media/{media['id']}")).json() == media

    run(test)


def test_what_a_photograph_tells_of_its_place_is_left_behind_and_it_stands_upright(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        exif = Image.Exif()
        exif[0x0112] = 6  # turned by a quarter
        exif[0x010F] = "a camera"
        exif.get_ifd(0x8825)[1] = "N"
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            media = (await _upload(ann, _picture("JPEG", (300, 200), exif=exif, comment=b"at home"))).json()
            picture = await _fetch(kit, media["url"])
            assert picture.size == (200, 300)
            assert not picture.getexif()
            assert "comment" not in picture.info

    run(test)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "CMYK", "I;16", "1"])
def test_every_kind_of_pixel_is_shown(database_url: str, tmp_path: Path, mode: str) -> None:
    async def test() -> None:
        kind = "JPEG" if mode == "CMYK" else "PNG"
        async with site_kit(database_url, tmp_path) as kit:
            media = (await _upload(await kit.person("ann"), _picture(kind, mode=mode))).json()
            assert (await _fetch(kit, media["url"])).mode in {"RGB", "RGBA"}

    run(test)


def _bomb(side: int = 60_000) -> bytes:
    """A PNG of a few bytes that says it has so many pixels a side."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    head = side.to_bytes(4) + side.to_bytes(4) + bytes([1, 0, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(1_000_000)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "can't be blank"),
        (b"\x00" * 100, "content type is invalid"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "content type is invalid"),
        (b"<html><script>alert(1)</script></html>", "content type is invalid"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "content type is invalid"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "content type is invalid"),
        (_picture()[:60], "broken"),
        (_picture("JPEG", color="red")[:400], "broken"),
        (_bomb(), "pixels"),
        (_picture() + bytes(MEDIA_PICTURE_BYTES_MAX), "less than 16 MB"),
    ],
    ids=["empty", "zeros", "svg", "html", "playlist", "concat", "cut png", "cut jpeg", "bomb", "heavy"],
)
def test_what_is_no_picture_of_a_sane_size_is_refused_and_leaves_nothing(
    database_url: str, tmp_path: Path, content: bytes, why: str
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            answer = await _upload(await kit.person("ann"), content, "picture.png")
            assert answer.status_code == 422
            assert why in answer.json()["error"]
            assert [path for path in (tmp_path / "media").rglob("*") if path.is_file()] == []

    run(test)


def test_a_video_is_made_anew_while_its_sender_waits(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            answer = await _upload(ann, _video(tmp_path))
            media = answer.json()
            assert (answer.status_code, media["url"], media["type"]) == (202, None, "video")
            assert (await ann.get(f"/api/v1/media/{media['id']}")).status_code == 206
            await kit.do_jobs()
            answer = await ann.get(f"/api/v1/media/{media['id']}")
            assert answer.status_code == 200
            media = answer.json()
            assert media["url"].endswith(".mp4")
            assert media["preview_url"].endswith(".png")
            original = media["meta"]["original"]
            assert (original["width"], original["height"], original["frame_rate"]) == (560, 320, "10/1")
            assert original["duration"] == pytest.approx(1, abs=0.1)
            film = (await kit.anonymous.get(media["url"])).content
            assert b"secret place" not in film
            assert not list((tmp_path / "media" / "incoming").iterdir())

    run(test)


def test_sound_becomes_mp3_and_a_moving_gif_a_video_without_sound(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            sound = (await _upload(ann, _film(tmp_path, "-f", "lavfi", "-i", "sine=d=2", name="a.ogg"))).json()
            moving = (
                await _upload(ann, _film(tmp_path, "-f", "lavfi", "-i", "testsrc=d=1:s=101x51:r=5", name="a.gif"))
            ).json()
            await kit.do_jobs()
            sound = (await ann.get(f"/api/v1/media/{sound['id']}")).json()
            assert (sound["type"], sound["url"][-4:], sound["preview_url"]) == ("audio", ".mp3", None)
            assert sound["meta"]["length"].startswith("0:00:02")
            moving = (await ann.get(f"/api/v1/media/{moving['id']}")).json()
            assert (moving["type"], moving["url"][-4:]) == ("gifv", ".mp4")

    run(test)


def test_a_film_that_cannot_be_made_is_failed_and_says_so(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            answer = await _upload(ann, _video(tmp_path))
            assert answer.status_code == 202
            for path in (tmp_path / "media" / "incoming").iterdir():
                path.write_bytes(path.read_bytes()[:200])  # what a full disk leaves
            await kit.do_jobs()
            again = await ann.get(f"/api/v1/media/{answer.json()['id']}")
            assert again.status_code == 422
            assert "Error processing" in again.json()["error"]
            assert not list((tmp_path / "media" / "incoming").iterdir())

    run(test)


def test_a_thumbnail_and_words_may_be_changed_until_it_is_posted(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann, bob = await kit.person("ann"), await kit.person("bob")
            media = (
                await ann.post(
                    "/api/v2/media", files={"file": _video(tmp_path), "thumbnail": _picture(size=(50, 50))}
                )
            ).json()
            await kit.do_jobs()
            path = f"/api/v1/media/{media['id']}"
            media = (await ann.get(path)).json()
            assert media["meta"]["small"] == {"width": 50, "height": 50, "size": "50x50", "aspect": 1.0}
            changed = await ann.put(
                path, data={"description": "me", "focus": "9,0"}, files={"thumbnail": _picture(size=(70, 50))}
            )
            media = changed.json()
            assert (media["description"], media["meta"]["focus"]) == ("me", {"x": 1.0, "y": 0.0})
            assert media["meta"]["small"]["width"] == 70
            assert (await bob.get(path)).status_code == 404
            assert (await bob.put(path, json={"description": "mine"})).status_code == 404
            assert (await ann.put(path, json={"description": "x" * 1501})).status_code == 422
            assert (await ann.put(path, json={"focus": "left"})).status_code == 422

    run(test)


def test_a_thumbnail_that_is_none_refuses_the_whole_and_nothing_is_left(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            files = tmp_path / "media" / "files"
            for content in (_picture(), _video(tmp_path)):
                answer = await ann.post("/api/v2/media", files={"file": content, "thumbnail": b"none"})
                assert answer.status_code == 422
            assert [path for path in (tmp_path / "media").rglob("*") if path.is_file()] == []
            media = (await _upload(ann, _picture())).json()
            for thumbnail in (b"none", _picture()):
                await ann.put(f"/api/v1/media/{media['id']}", files={"thumbnail": thumbnail})
            bob = await kit.person("bob")
            await bob.put(f"/api/v1/media/{media['id']}", files={"thumbnail": _picture()})
            assert len([path for path in files.rglob("*") if path.is_file()]) == 2
            assert (await ann.delete(f"/api/v1/media/{media['id']}")).json() == {}
            assert [path for path in files.rglob("*") if path.is_file()] == []

    run(test)


def test_an_edit_says_anew_what_is_attached_and_the_history_shows_it_as_it_was(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            media = (await _upload(ann, _picture(), description="old")).json()
            posted = (await ann.post("/api/v1/statuses", json={"status": "x", "media_ids": [media["id"]]})).json()
            path = f"/api/v1/statuses/{posted['id']}"
            data = b64encode(_picture(size=(70, 50))).decode()
            attributes = {"id": media["id"], "description": "new", "focus": "0.2,-0.1"}
            edit = {"status": "x", "media_ids": [media["id"]], "media_attributes": [attributes]}
            for wrong in ("data:image/png;base64,%", "data:text/html;base64,eA==", "http://localhost/a.png"):
                attributes["thumbnail"] = wrong
                assert (await ann.put(path, json=edit)).status_code == 422
            attributes["thumbnail"] = f"data:image/png;base64,{data}"
            answer = await ann.put(path, json=edit)
            assert answer.status_code == 200
            (changed,) = answer.json()["media_attachments"]
            assert (changed["description"], changed["meta"]["focus"]) == ("new", {"x": 0.2, "y": -0.1})
            assert changed["meta"]["small"]["width"] == 70
            before, after = (await ann.get(f"{path}/history")).json()
            assert before["media_attachments"][0]["description"] == "old"
            for version in (before, after):
                assert (await kit.anonymous.get(version["media_attachments"][0]["preview_url"])).status_code == 200

    run(test)


def test_what_nobody_posts_is_forgotten_after_a_day(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            media = (await _upload(ann, _picture())).json()
            kit.clock.pass_(hours=23)
            await kit.do_jobs()
            assert (await kit.anonymous.get(media["url"])).status_code == 200
            kit.clock.pass_(hours=2)
            await kit.do_jobs()
            assert (await kit.anonymous.get(media["url"])).status_code == 404
            assert (await ann.get(f"/api/v1/media/{media['id']}")).status_code == 404

    run(test)


def test_files_are_served_as_what_they_are_and_nothing_else_is_served(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            media = (await _upload(await kit.person("ann"), _picture())).json()
            answer = await kit.anonymous.get(media["url"], headers={"Range": "bytes=1-3"})
            assert (answer.status_code, answer.content) == (206, b"PNG")
            assert answer.headers["content-type"] == "image/png"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "sandbox" in answer.headers["content-security-policy"]
            assert "immutable" in answer.headers["cache-control"]
            (tmp_path / "media" / "secret.png").write_bytes(b"no")
            for path in (
                "/media/../secret.png",
                "/media/%2e%2e/secret.png",
                "/media/aa/..%2f..%2fsecret.png",
                "/media/ab/x",
            ):
                assert (await kit.anonymous.get(path)).status_code == 404

    run(test)


def test_an_upload_needs_a_token_that_may_and_has_a_bound(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            assert (await _upload(kit.anonymous, _picture())).status_code == 401
            assert (await _upload(await kit.person("ann", scopes="read"), _picture())).status_code == 403
            bob = await kit.person("bob")
            assert (await bob.post("/api/v2/media", data={"file": "no file"})).status_code == 422
            assert (await _upload(bob, bytes(100 << 20))).status_code == 422
            assert (await _upload(bob, bytes(130 << 20))).status_code == 413

    run(test)
