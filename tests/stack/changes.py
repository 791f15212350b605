"""Changes of the content, as an editor makes them. Each appends its events to the log, under the content's lock."""

from __future__ import annotations

import hashlib
from typing import Iterable, Optional

import records
import wire
from content import Content, ContentError, Slot
from content_types import ContentType, text_field
from events import ASSETS, Event, Filter, Key
from files import Blob, Bytes, File, Pattern, stored_name
from switches import Settings


class Editor:
    """Makes changes. Thread-safe: every public method takes the content's lock."""

    def __init__(self, content: Content, settings: Settings) -> None:
        self._content = content
        self._settings = settings

    # -- publishing ---------------------------------------------------------------------------------------------

    def publish_entry(self, content_type: str, uid: str, locale: str, fields: Optional[records.Members] = None) -> Event:
        """Creates or changes an entry in a locale and publishes it there.

        Without fields, an entry that is not written in that locale is published as it stands in another one.
        """
        content = self._content
        with content.lock:
            if content_type not in content.types:
                raise ContentError(f"there is no content type {content_type!r}")
            key = self._key(content_type, uid, locale)
            slot = content.slot(key)
            at = content.clock.now(self._not_before(key, slot))
            base = self._written(key, slot)
            members = wire.split_object(base) if base else records.new_entry(uid, locale, at)
            if fields:
                members["locale"] = wire.quote(locale)
                records.merge(members, fields)
            return self._publish(key, slot, members, "entry_published", at)

    def publish_asset(
        self,
        uid: str,
        locale: str,
        fields: Optional[records.Members] = None,
        file_bytes: Optional[int] = None,
        content_type: str = "application/octet-stream",
        blob: Optional[Blob] = None,
        as_is: bool = False,
        without: Iterable[str] = (),
    ) -> Event:
        """Creates or changes an asset and publishes it; `file_bytes` or `blob` replace its file, under a new file uid.

        With `as_is` a new file keeps its name, whatever is in it; members named by `without` are left out of the record.
        """
        content = self._content
        with content.lock:
            key = self._key(ASSETS, uid, locale)
            slot = content.slot(key)
            at = content.clock.now(self._not_before(key, slot))
            base = self._written(key, slot)
            name = wire.plain_string((fields or {}).get("filename"), f"{uid}.bin")
            members = wire.split_object(base) if base else records.new_asset(uid, at, name, content_type)
            before = members.get("filename")
            if fields:
                records.merge(members, fields)
            if file_bytes is not None:
                blob = Pattern(file_bytes, f"{uid}:{len(content.log)}")
            elif blob is None and not base:
                blob = Bytes(f"The file of {uid}.\n".encode("utf-8", "replace"))
            elif blob is None and members.get("filename") != before:
                blob = self._present_blob(uid, members)
            if blob is not None:
                self._store_file(uid, members, blob, as_is)
                given = {name: value for name, value in (fields or {}).items() if name in ("url", "file_size")}
                records.merge(members, given)
            for name in without:
                members.pop(name, None)
            return self._publish(key, slot, members, "asset_published", at)

    def missize_asset(self, uid: str, locale: str, how: str) -> Event:
        """Publishes an asset with a `file_size` that is wrong (or right), while its file stays."""
        content = self._content
        if how not in records.SIZES:
            raise ContentError(f"{how!r} is none of {', '.join(records.SIZES)}")
        with content.lock:
            event = content.published(self._key(ASSETS, uid, locale))
            blob = self._present_blob(uid, wire.split_object(event.data)) if event else None
            if blob is None:
                raise ContentError(f"{ASSETS} {uid} has no file in {locale}")
            text = records.file_size(how, blob.size)
            if text is None:
                return self.publish_asset(uid, locale, without=("file_size",))
            return self.publish_asset(uid, locale, {"file_size": text})

    def _key(self, content_type: str, uid: str, locale: str) -> Key:
        if locale not in self._content.locale_codes():
            raise ContentError(f"there is no locale {locale!r}")
        if not uid:
            raise ContentError("a uid is needed")
        return Key(content_type, uid, locale)

    def _not_before(self, key: Key, slot: Optional[Slot]) -> int:
        content = self._content
        at = max(slot.event.at if slot else 0, content.last_time_of_type(key.content_type))
        for code in content.known_locales(key.content_type, key.uid):
            other = content.slot(key._replace(locale=code))
            if other is not None and other.event.locale is None:  # a deletion that concerned this key, too
                at = max(at, other.event.at)
        return at

    def _written(self, key: Key, slot: Optional[Slot]) -> Optional[str]:
        """The data to start from: that of the same locale, else that of the first other one."""
        if slot is not None and slot.data is not None:
            return slot.data
        for code in self._content.known_locales(key.content_type, key.uid):
            other = self._content.slot(key._replace(locale=code))
            if other is not None and other.data is not None:
                return other.data
        return None

    def _publish(self, key: Key, slot: Optional[Slot], members: records.Members, kind: str, at: int) -> Event:
        content = self._content
        version = slot.version + 1 if slot else 1
        published = at - records.publish_lag(key)
        details = records.publish_details(content.environment_uid, key.locale, published)
        data = records.stamp(members, key.uid, version, at, details)
        event = Event(content.next_seq(), kind, *key, at, published, data, False, key.mark())
        content.append(event)
        content.put(key, Slot(event, data, version))
        return event

    def _store_file(self, uid: str, members: records.Members, blob: Blob, as_is: bool) -> None:
        content = self._content
        given = wire.plain_string(members.get("filename"), uid)
        name = given if as_is else stored_name(given)
        mime = wire.plain_string(members.get("content_type"), "application/octet-stream")
        file_uid = hashlib.sha1(f"{uid}:{len(content.log)}".encode("utf-8", "replace")).hexdigest()[:24]
        content.files.add(File(uid, file_uid, name, mime, blob))
        records.set_file(members, blob.size, content.file_url(uid, file_uid, name), mime)

    def _present_blob(self, uid: str, members: records.Members) -> Optional[Blob]:
        parts = wire.plain_string(members.get("url")).split("/")
        file = self._content.file(uid, parts[-2]) if len(parts) > 2 else None
        return file.blob if file else None

    # -- removing -----------------------------------------------------------------------------------------------

    def unpublish(self, content_type: str, uid: str, locale: Optional[str] = None) -> list[Event]:
        """Unpublishes in one locale, or in all where it is published."""
        content = self._content
        with content.lock:
            keys = self._keys(content_type, uid, locale)
            keys = [key for key in keys if content.published(key)]
            if not keys:
                raise ContentError(f"{content_type} {uid} is not published" + (f" in {locale}" if locale else ""))
            kind = "asset_unpublished" if content_type == ASSETS else "entry_unpublished"
            return [self._remove(key, kind, keep_data=True) for key in keys]

    def delete(self, content_type: str, uid: str, locale: Optional[str] = None) -> list[Event]:
        """Deletes in one locale, or altogether: one event per locale, or a single one, as `deletions` says."""
        content = self._content
        with content.lock:
            keys = self._keys(content_type, uid, locale)
            keys = [key for key in keys if (slot := content.slot(key)) is not None and slot.data is not None]
            if not keys:
                raise ContentError(f"{content_type} {uid} does not exist" + (f" in {locale}" if locale else ""))
            kind = "asset_deleted" if content_type == ASSETS else "entry_deleted"
            if locale is None and self._settings.word("deletions") == "no-locale":
                return [self._remove_everywhere(keys, kind)]
            return [self._remove(key, kind, keep_data=False) for key in keys]

    def _keys(self, content_type: str, uid: str, locale: Optional[str]) -> list[Key]:
        if locale is not None:
            return [self._key(content_type, uid, locale)]
        return [Key(content_type, uid, code) for code in self._content.known_locales(content_type, uid)]

    def _tombstone(self, kind: str, key: Key, locale: Optional[str], slot: Slot, at: int) -> Event:
        bare = key.content_type == ASSETS and self._settings.word("asset-tombstones") == "bare"
        data = records.tombstone(key.uid, locale, slot.data)
        event = Event(
            self._content.next_seq(), kind, key.content_type, key.uid, locale, at, at, data, bare, key.mark()
        )
        self._content.append(event)
        return event

    def _remove(self, key: Key, kind: str, keep_data: bool, at: Optional[int] = None) -> Event:
        content = self._content
        slot = content.slot(key)
        assert slot is not None
        event = self._tombstone(kind, key, key.locale, slot, at or content.clock.now(self._not_before(key, slot)))
        content.put(key, Slot(event, slot.data if keep_data else None, slot.version))
        return event

    def _remove_everywhere(self, keys: list[Key], kind: str) -> Event:
        content = self._content
        slots = {key: content.slot(key) for key in keys}
        first = slots[keys[0]]
        assert first is not None
        event = self._tombstone(kind, keys[0], None, first, content.clock.later())
        for key, slot in slots.items():
            content.put(key, Slot(event, None, slot.version if slot else 1))
        return event

    # -- content types ------------------------------------------------------------------------------------------

    def add_content_type(self, uid: str, title: str = "") -> None:
        """Makes a content type with a title, a URL and a text."""
        content = self._content
        with content.lock:
            if uid in content.types:
                raise ContentError(f"the content type {uid!r} exists")
            if not uid or uid == ASSETS:
                raise ContentError(f"{uid!r} cannot be the uid of a content type")
            schema = [
                text_field("title", "Title", mandatory=True, unique=True),
                text_field("url", "URL"),
                text_field("text", "Text", field_metadata={"multiline": True, "version": 3}),
            ]
            name = title or uid.replace("_", " ").title()
            content.types[uid] = ContentType.create(uid, name, schema, content.clock.now())

    def change_schema(self, uid: str) -> None:
        """Adds a field to a content type. No sync item tells of it."""
        content = self._content
        with content.lock:
            if uid not in content.types:
                raise ContentError(f"there is no content type {uid!r}")
            found = content.types[uid]
            found.add_field(content.clock.now(found.updated))

    def delete_content_type(self, uid: str) -> list[Event]:
        """Deletes a content type with its entries; `type-deletions` says whether their deletions are told too."""
        content = self._content
        with content.lock:
            if uid not in content.types:
                raise ContentError(f"there is no content type {uid!r}")
            at = content.clock.later()
            events: list[Event] = []
            if self._settings.word("type-deletions") == "with-entries":
                events = [self._remove(key, "entry_deleted", False, at) for key in self._keys_of_type(uid)]
            event = Event(content.next_seq(), "content_type_deleted", uid, "", None, at, at, "{}", False, at)
            content.append(event)
            for key, slot in content.slots.items():
                if key.content_type == uid and slot.data is not None:
                    content.slots[key] = Slot(event, None, slot.version)
            content.gone_types[uid] = event
            del content.types[uid]
            return [*events, event]

    def _keys_of_type(self, uid: str) -> list[Key]:
        content = self._content
        keys = [key for key, slot in content.slots.items() if key.content_type == uid and slot.data is not None]
        if content.generator is not None:
            wanted = Filter(content.environment, (uid,))
            keys.extend(content.generator.view(wanted, content.touched, set(content.gone_types)).keys())
        return keys
