# make sample     build, then try the tools on arrays made on the spot
# make test       everything, at the sizes a developer waits for
# make test-long  the same cases at many more sizes and seeds
# make boot       raid-probe and raid-table for an initramfs: small; make boot-static: without libraries
# make install-boot   them, and what starts a machine from an array, into DESTDIR
# make bench      how fast the tools are, against others side by side

CARGO ?= cargo
NEXTEST := $(shell $(CARGO) nextest --version >/dev/null 2>&1 && echo yes)

.PHONY: sample test test-long boot boot-static install-boot bench man clean

sample:
	tests/install-deps build
	$(CARGO) build --release --workspace --locked
	tests/sample.sh

# The examples in the documentation first: the other runner does not know them, and its summary comes last.
test:
	tests/install-deps
	tests/vm/run --prepare
	$(CARGO) build --workspace --locked
	tests/fuzz/run --build
	raid-table/boot/build
	raid-table/boot/build --static
	tests/vm/root >/dev/null
	$(CARGO) test --workspace --locked --doc
ifeq ($(NEXTEST),yes)
	$(CARGO) nextest run --workspace --locked --no-fail-fast
else
	$(CARGO) test --workspace --locked --lib --bins --tests --no-fail-fast
endif

test-long: export RAID_TESTS_LONG = 1
test-long: test

boot:
	tests/install-deps build
	raid-table/boot/build

boot-static:
	tests/install-deps build
	raid-table/boot/build --static

install-boot: boot
	raid-table/boot/install

# Everything is measured before it fails for a goal that was missed.
bench:
	tests/install-deps bench
	$(CARGO) build --release --workspace --locked
	status=0; tests/peers/run || status=$$?; $(CARGO) bench --workspace --locked --no-fail-fast || status=$$?; exit $$status

man:
	$(CARGO) run --locked --package raid-tests --bin generate-man

clean:
	$(CARGO) clean
