# The programs that people use on files work on those of assets, too.

load lib
load assets

FILM_BYTES=30000001

# setup_film: an asset that no page or piece divides, nothing of it fetched yet, and a plain copy of it in $WHOLE.
setup_film() {
	require "$@"
	set_cache
	start_stack
	make_asset "$LARGE" "$FILM_BYTES" film.mp4
	mount_assets
	FILM=$(asset "$LARGE")
	python3 -c 'import shutil, sys, urllib.request
with urllib.request.urlopen(sys.argv[1]) as answer, open(sys.argv[2], "wb") as out:
    shutil.copyfileobj(answer, out)' "$(asset_url "$LARGE")" "$WHOLE"
}

# cold: nothing of the file is in the cache or in the kernel.
cold() {
	unmount
	rm -rf "$CACHE"
	mount_assets
}

# fio_reads OPTION...: of the file, and it is right afterwards.
fio_reads() {
	cold
	bounded fio --readonly --minimal --name=film --filename="$FILM" --randrepeat=1 --randseed=4711 --allow_file_create=0 \
		--invalidate=0 --size="$FILM_BYTES" "$@" >"$WORK/fio" 2>&1 || {
		cat "$WORK/fio"
		return 1
	}
	bounded cmp "$WHOLE" "$FILM"
}

@test "fio reads at random and in order, buffered, mapped and direct" {
	setup_film fio
	fio_reads --rw=read --bs=128k --ioengine=psync
	fio_reads --rw=read --bs=128k --ioengine=mmap
	fio_reads --rw=randread --bs=4k --io_size=4m --ioengine=psync
	fio_reads --rw=randread --bs=4k --io_size=4m --ioengine=mmap
	fio_reads --rw=randread --bs=64k --io_size=8m --ioengine=psync --numjobs=4 --thread
	fio_reads --rw=randread --bs=64k --io_size=8m --ioengine=psync --direct=1
	fio_reads --rw=randread --bs=16k --io_size=4m --ioengine=libaio --iodepth=16
}

# reads_at_random WAY: pieces of the file, cold, by several threads, compared with the copy.
reads_at_random() {
	cold
	bounded python3 - "$1" "$FILM" "$WHOLE" <<'PY'
import mmap, os, random, sys
from concurrent.futures import ThreadPoolExecutor

way, film, whole = sys.argv[1:]
flags = os.O_RDONLY | (os.O_DIRECT if way == "direct" else 0)
fd, right = os.open(film, flags), os.open(whole, os.O_RDONLY)
size = os.fstat(fd).st_size
assert size == os.fstat(right).st_size
mapped = mmap.mmap(fd, 0, prot=mmap.PROT_READ) if way == "mmap" else None


def look(seed):
    source = random.Random(seed)
    for _ in range(100):
        start = source.choice((source.randrange(size), size - source.randrange(1, 5000), source.randrange(5000)))
        length = source.choice((1, 100, 4096, 70_000))
        if way == "direct":
            start, length = start // 4096 * 4096, (length + 4095) // 4096 * 4096
            buffer = mmap.mmap(-1, length)
            got = bytes(buffer[: os.preadv(fd, [buffer], start)])
        else:
            got = mapped[start : start + length] if mapped else os.pread(fd, length, start)
        want = os.pread(right, length, start)
        assert got == want or (way == "direct" and want.startswith(got) and got), (start, length, len(got))


with ThreadPoolExecutor(4) as pool:
    list(pool.map(look, range(4)))
assert os.pread(fd, 10, size) == b"" and os.pread(fd, 10, size + 10_000_000) == b""
assert os.lseek(fd, 0, os.SEEK_DATA) == 0 and os.lseek(fd, 0, os.SEEK_HOLE) == size
PY
}

@test "reads at random, by several threads, are right" {
	setup_film
	reads_at_random buffered
	reads_at_random mmap
	reads_at_random direct
}

@test "cmp, md5sum, head, tail, dd and wc" {
	setup_film
	bounded cmp "$WHOLE" "$FILM"
	cold
	same "$(md5sum <"$WHOLE")" "$(bounded md5sum <"$FILM")"
	same "$FILM_BYTES" "$(bounded wc -c <"$FILM")"
	cold
	same "$(tail -n 3 "$WHOLE" | md5sum)" "$(bounded tail -n 3 "$FILM" | md5sum)"
	same "$(head -c 3000000 "$WHOLE" | md5sum)" "$(bounded head -c 3000000 "$FILM" | md5sum)"
	cold
	bounded cmp "$WHOLE" <(bounded dd if="$FILM" bs=1M status=none)
	same "$(tac "$WHOLE" | md5sum)" "$(bounded tac "$FILM" | md5sum)"
}

@test "cp, sparse or not, makes equal copies" {
	setup_film
	local option
	for option in --sparse=always --sparse=auto --sparse=never --reflink=auto -a; do
		cold
		bounded cp "$option" "$FILM" "$WORK/copy"
		cmp "$WHOLE" "$WORK/copy"
		rm "$WORK/copy"
	done
}

# handed_on WAY: the file, cold, by a call that hands bytes from one descriptor to another within the kernel.
handed_on() {
	cold
	bounded python3 - "$1" "$FILM" "$WORK/copy" <<'PY'
import os, socket, sys, threading

way, film, copy = sys.argv[1:]
source = os.open(film, os.O_RDONLY)
size, done = os.fstat(source).st_size, 0
target = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
if way == "splice":
    reader, writer = os.pipe()
    while sent := os.splice(source, writer, 1 << 16):
        done += sent
        while sent:
            sent -= os.splice(reader, target, sent)
else:
    near, far = socket.socketpair()

    def receive():
        while piece := far.recv(1 << 16):
            os.write(target, piece)

    thread = threading.Thread(target=receive)
    thread.start()
    while sent := os.sendfile(near.fileno(), source, done, 1 << 20):
        done += sent
    near.close()
    thread.join()
assert done == size, (done, size)
PY
	bounded cmp "$WHOLE" "$WORK/copy"
}

@test "sendfile and splice hand on the right bytes" {
	setup_film
	handed_on sendfile
	handed_on splice
}

@test "rsync transfers every file once, and of what was replaced the new one" {
	setup_film rsync
	bounded rsync -a "$MOUNT/assets/" "$WORK/copy/"
	bounded diff -r "$MOUNT/assets" "$WORK/copy"
	same '' "$(no_asset_request bounded rsync -ai "$MOUNT/assets/" "$WORK/copy/")" 'second transfer'
	make_asset "$LARGE" 1000000 film.mp4
	refresh
	bounded rsync -ai "$MOUNT/assets/" "$WORK/copy/" | grep '^>f' >"$WORK/transferred"
	same 2 "$(wc -l <"$WORK/transferred")" 'files transferred' # and its record
	bounded diff -r "$MOUNT/assets" "$WORK/copy"
}

@test "tar and cp -a bring everything back as it was" {
	setup_film tar
	bounded tar -C "$MOUNT/assets" -cf "$WORK/all.tar" . 2>"$WORK/complaints"
	same '' "$(cat "$WORK/complaints")" 'complaints'
	mkdir "$WORK/copy"
	bounded tar -C "$WORK/copy" -xpf "$WORK/all.tar"
	bounded diff -r "$MOUNT/assets" "$WORK/copy"
	cold
	bounded cp -a "$MOUNT/assets" "$WORK/another"
	bounded diff -r "$WORK/copy" "$WORK/another"
	chmod -R u+w "$WORK/copy" "$WORK/another"
}

@test "what is written to a private map stays there" {
	setup_film
	bounded python3 -c 'import mmap, sys
with open(sys.argv[1], "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as copy:
    copy[0:4] = b"mine"
    assert file.read(4) != b"mine" and copy[0:4] == b"mine"' "$FILM"
	bounded cmp "$WHOLE" "$FILM"
}
