"""The sample's content types and global fields."""

from __future__ import annotations

from typing import Any

from content_types import ContentType, text_field

Schema = dict[str, Any]


def _field(uid: str, name: str, data_type: str, **more: Any) -> Schema:
    schema: Schema = {
        "data_type": data_type,
        "display_name": name,
        "uid": uid,
        "field_metadata": {"description": "", "default_value": ""},
        "mandatory": False,
        "multiple": False,
        "non_localizable": False,
        "unique": False,
    }
    schema.update(more)
    return schema


def _title() -> Schema:
    metadata = {"_default": True, "version": 3}
    return _field("title", "Title", "text", mandatory=True, unique=True, field_metadata=metadata)


def _url() -> Schema:
    metadata = {"_default": True, "version": 3}
    return _field("url", "URL", "text", mandatory=True, field_metadata=metadata)


def _multiline(uid: str, name: str) -> Schema:
    return text_field(uid, name, field_metadata={"description": "", "multiline": True, "version": 3})


def _html(uid: str, name: str) -> Schema:
    metadata = {"allow_rich_text": True, "description": "", "rich_text_type": "advanced", "version": 3}
    return _field(uid, name, "text", field_metadata=metadata)


def _json_rte(uid: str, name: str) -> Schema:
    metadata = {"allow_json_rte": True, "embed_entry": True, "description": "", "rich_text_type": "advanced"}
    return _field(uid, name, "json", field_metadata=metadata, reference_to=["sys_assets"])


def _file(uid: str, name: str, multiple: bool = False) -> Schema:
    metadata = {"description": "", "rich_text_type": "standard"}
    return _field(uid, name, "file", multiple=multiple, extensions=[], field_metadata=metadata)


def _reference(uid: str, name: str, *targets: str) -> Schema:
    metadata = {"ref_multiple": True, "ref_multiple_content_types": True}
    return _field(uid, name, "reference", reference_to=list(targets), field_metadata=metadata)


def _old_reference(uid: str, name: str, target: str) -> Schema:
    return _field(uid, name, "reference", reference_to=target, field_metadata={"ref_multiple": True})


def _group(uid: str, name: str, *schema: Schema, multiple: bool = False) -> Schema:
    metadata = {"description": "", "instruction": ""}
    return _field(uid, name, "group", schema=list(schema), multiple=multiple, field_metadata=metadata)


def _blocks(uid: str, name: str, **blocks: list[Schema]) -> Schema:
    parts = [
        {"title": part.title(), "uid": part, "autoEdit": True, "blockType": "custom", "schema": schema}
        for part, schema in blocks.items()
    ]
    metadata = {"instruction": "", "description": ""}
    return _field(uid, name, "blocks", multiple=True, blocks=parts, field_metadata=metadata)


def _global(uid: str, name: str, target: str) -> Schema:
    return _field(uid, name, "global_field", reference_to=target, field_metadata={"description": ""})


def _choice(uid: str, name: str, *values: str) -> Schema:
    enum = {"advanced": False, "choices": [{"value": value} for value in values]}
    return _field(uid, name, "text", display_type="dropdown", enum=enum, min_instance=None, max_instance=None)


def global_fields() -> dict[str, list[Schema]]:
    """Schemas of the global fields by uid."""
    return {
        "seo": [
            text_field("title", "Title"),
            _multiline("description", "Description"),
            text_field("keywords", "Keywords", multiple=True),
        ],
        "opening": [
            text_field("opens", "Opens"),
            text_field("closes", "Closes"),
            text_field("closed_days", "Closed on", multiple=True),
        ],
    }


def content_types(created: int) -> list[ContentType]:
    """The sample's content types, made at `created` and shortly after."""
    entries = _field("entries", "Entries", "reference", reference_to=["object", "story", "room", "event"])
    schemas: dict[str, tuple[str, bool, list[Schema]]] = {
        "object": ("Object", True, [
            _title(), _url(), _field("inventory_no", "Inventory number", "number"), text_field("made", "Made"),
            _multiline("description", "Description"),
            _group("size", "Size", *(_field(uid, uid, "number") for uid in ("height_cm", "width_cm", "weight_kg"))),
            text_field("materials", "Materials", multiple=True), _file("photo", "Photo"),
            _reference("keeper", "Keeper", "person"), _reference("room", "Room", "room"),
            _group("provenance", "Provenance", _field("from", "From", "isodate"), _field("to", "To", "isodate"),
                   text_field("place", "Place"), multiple=True),
            _global("seo", "SEO", "seo"),
        ]),
        "story": ("Story", True, [
            _title(), _url(), _multiline("teaser", "Teaser"), _json_rte("body", "Body"),
            _reference("author", "Author", "person"), _file("hero", "Hero"),
            _blocks("sections", "Sections", quote=[_multiline("text", "Text"), text_field("who", "Who")], related=[entries]),
            _global("seo", "SEO", "seo"), _field("minutes", "Minutes", "number"),
        ]),
        "person": ("Person", True, [
            _title(), _url(), text_field("role", "Role"), _html("bio", "Biography"), _file("portrait", "Portrait"),
            _field("born", "Born", "isodate"), text_field("languages", "Languages", multiple=True),
            _field("featured", "Featured", "boolean"),
        ]),
        "room": ("Room", True, [
            _title(), _url(), _field("floor", "Floor", "number"), _field("area_sqm", "Area", "number"),
            _field("capacity", "Capacity", "number"), _field("accessible", "Accessible", "boolean"),
            _multiline("intro", "Introduction"),
            _old_reference("objects", "Objects", "object"), _file("audio_guide", "Audio guide"),
        ]),
        "event": ("Event", True, [
            _title(), _url(), _field("starts", "Starts", "isodate"), _field("ends", "Ends", "isodate"),
            _field("price", "Price", "number"),
            _multiline("text", "Text"), _reference("place", "Place", "room"), _reference("hosts", "Hosts", "person"),
            _field("booking", "Booking", "link"), _global("opening", "Opening", "opening"),
        ]),
        "product": ("Product", True, [
            _title(), _url(), text_field("sku", "SKU"), _field("price", "Price", "number"),
            _choice("currency", "Currency", "EUR", "SEK"),
            _field("weight_g", "Weight", "number"), _field("in_stock", "In stock", "boolean"),
            _field("ean", "EAN", "number"),
            _multiline("text", "Text"), _file("photos", "Photos", multiple=True),
            _group("variants", "Variants", text_field("name", "Name"),
                   _group("options", "Options", _group("size", "Size", _field("width_cm", "Width", "number"),
                                                       _field("height_cm", "Height", "number")),
                          _field("stock", "Stock", "number")), multiple=True),
        ]),
        "page": ("Page", True, [
            _title(), _url(), _multiline("lead", "Lead"),
            _blocks("blocks", "Blocks", hero=[_file("image", "Image"), _multiline("text", "Text")],
                    greetings=[text_field("lines", "Lines", multiple=True)], related=[entries],
                    download=[_file("file", "File"), text_field("label", "Label")]),
            _global("opening", "Opening", "opening"), _global("seo", "SEO", "seo"),
        ]),
        "press-note": ("Press note / Pressemitteilung", True, [
            _title(), _url(), _field("date", "Date", "isodate"), _html("body", "Body"), _file("kit", "Kit"),
            _old_reference("contacts", "Contacts", "person"),
        ]),
        "Curio": ("Curiosity", False, [_title(), _multiline("note", "Note"), _file("file", "File")]),
    }  # fmt: skip
    made = []
    for number, (uid, (title, is_page, schema)) in enumerate(schemas.items()):
        options: Schema = {"title": "title", "sub_title": [], "singleton": False, "is_page": is_page}
        if is_page:
            options.update(publishable=True, url_pattern="/:title", url_prefix=f"/{uid}/")
        description = "What no simple program would expect." if uid == "Curio" else ""
        more = {"options": options, "description": description}
        made.append(ContentType.create(uid, title, schema, created + number * 61_003, **more))
    return made
