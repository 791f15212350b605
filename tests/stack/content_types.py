"""Content types and global fields: their objects as the API gives them."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import wire

ACL_OTHERS: dict[str, Any] = {
    "read": False,
    "create": False,
    "update": False,
    "delete": False,
    "sub_acl": {"read": False, "create": False, "update": False, "delete": False, "publish": False},
}
ABILITIES: dict[str, bool] = {
    "get_one_object": True,
    "get_all_objects": True,
    "create_object": True,
    "update_object": True,
    "delete_object": True,
    "delete_all_objects": True,
}


def text_field(uid: str, name: str, **more: Any) -> dict[str, Any]:
    """A plain text field of a schema."""
    schema: dict[str, Any] = {
        "display_name": name,
        "uid": uid,
        "data_type": "text",
        "mandatory": False,
        "unique": False,
        "field_metadata": {"description": "", "default_value": "", "version": 3},
        "format": "",
        "error_messages": {"format": ""},
        "multiple": False,
        "non_localizable": False,
    }
    schema.update(more)
    return schema


@dataclass
class ContentType:
    """One content type; `body` holds everything but what the methods below add."""

    uid: str
    body: dict[str, Any]
    updated: int
    texts: dict[bool, str] = field(default_factory=dict)

    @classmethod
    def create(cls, uid: str, title: str, schema: list[dict[str, Any]], created: int, **more: Any) -> "ContentType":
        """A content type as the management interface would have made it."""
        body: dict[str, Any] = {
            "created_at": wire.iso(created),
            "updated_at": wire.iso(created),
            "title": title,
            "uid": uid,
            "_version": 1,
            "inbuilt_class": False,
            "schema": schema,
            "last_activity": {},
            "maintain_revisions": True,
            "description": "",
            "DEFAULT_ACL": {"others": {"read": False, "create": False}, "users": []},
            "SYS_ACL": {"roles": [], "others": ACL_OTHERS},
            "options": {"title": "title", "sub_title": [], "singleton": False, "is_page": False},
            "abilities": ABILITIES,
        }
        body.update(more)
        return cls(uid, body, created)

    def text(self, global_fields: dict[str, list[dict[str, Any]]], include_schema: bool) -> str:
        """JSON text of the object; with or without the schema inside of global fields."""
        if include_schema not in self.texts:
            body = self.body
            if include_schema:
                body = copy.deepcopy(body)
                _fill_global_fields(body["schema"], global_fields)
            self.texts[include_schema] = wire.dump(body)
        return self.texts[include_schema]

    def add_field(self, now: int) -> None:
        """A change of the schema: one more text field."""
        number = int(self.body["_version"]) + 1
        self.body["schema"].append(text_field(f"added_{number}", f"Added in version {number}"))
        self.body["_version"] = number
        self.body["updated_at"] = wire.iso(now)
        self.updated = now
        self.texts.clear()

    def file_fields(self) -> set[str]:
        """Uids of the top-level fields that hold one asset."""
        return {
            str(part["uid"]) for part in self.body["schema"] if part["data_type"] == "file" and not part.get("multiple")
        }


def _fill_global_fields(schema: list[dict[str, Any]], global_fields: dict[str, list[dict[str, Any]]]) -> None:
    for part in schema:
        if part["data_type"] == "global_field":
            part["schema"] = copy.deepcopy(global_fields.get(str(part["reference_to"]), []))
        for inner in [part.get("schema"), *(block.get("schema") for block in part.get("blocks", []))]:
            if inner:
                _fill_global_fields(inner, global_fields)
