"""What an image file says of persons and places besides its pixels."""

from PIL import ExifTags, Image

GPS = "GPS position"
PERSONS = {  # EXIF
    ExifTags.Base.Artist: "Artist",
    ExifTags.Base.XPAuthor: "XPAuthor",
    ExifTags.Base.CameraOwnerName: "CameraOwnerName",
    ExifTags.Base.ImageDescription: "ImageDescription",  # free text, where names are put too
    ExifTags.Base.XPTitle: "XPTitle",
    ExifTags.Base.XPSubject: "XPSubject",
    ExifTags.Base.XPComment: "XPComment",
    ExifTags.Base.UserComment: "UserComment",
}
TEXTS = ("author", "creator", "description", "comment", "title")  # keys of PNG chunks and of JPEG comments, lower case


def private_fields(image: Image.Image) -> tuple[str, ...]:
    """The names of those that are filled."""
    exif = image.getexif()
    fields = {**exif, **exif.get_ifd(ExifTags.IFD.Exif)}
    found = [name for tag, name in PERSONS.items() if _filled(fields.get(tag))]
    found += [f"text {key!r}" for key, value in image.info.items() if _is_text(key) and _filled(value)]
    if exif.get_ifd(ExifTags.IFD.GPSInfo):
        found.append(GPS)
    return tuple(found)


def _is_text(key: object) -> bool:
    return isinstance(key, str) and key.lower() in TEXTS


def _filled(value: object) -> bool:
    """Whether it holds more than blanks; cameras fill comments up with them."""
    if isinstance(value, bytes):
        return bool(value.removeprefix(b"ASCII\0\0\0").strip(b"\0 "))
    return bool(str(value or "").strip("\0 "))
