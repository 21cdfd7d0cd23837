//! Lines as the kernel prints and takes them.

use super::*;
use proptest::option::of;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use raid_meta::units::Sectors;
use std::path::Path;

fn cases() -> ProptestConfig {
    let long = std::env::var_os("RAID_TESTS_LONG").is_some_and(|value| value == "1");
    let (cases, rng_seed) = if long { (20_000, RngSeed::Random) } else { (500, RngSeed::Fixed(20)) };
    ProptestConfig { cases, rng_seed, ..ProptestConfig::default() }
}

fn sectors() -> impl Strategy<Value = Sectors> {
    any::<u64>().prop_map(Sectors)
}

fn device() -> impl Strategy<Value = Device> {
    prop_oneof![
        (any::<u32>(), any::<u32>()).prop_map(|(major, minor)| Device::Number { major, minor }),
        "[!-~ é\\\\]{1,20}".prop_filter_map("not nameable", |path| Device::from_path(Path::new(&path)).ok()),
    ]
}

fn place() -> impl Strategy<Value = Place> {
    (device(), sectors()).prop_map(|(device, offset)| Place { device, offset })
}

fn places() -> impl Strategy<Value = Vec<Place>> {
    prop::collection::vec(place(), 0..5)
}

fn mirror() -> impl Strategy<Value = Target> {
    let log = prop_oneof![Just(MirrorLog::Core), device().prop_map(MirrorLog::Disk)];
    (log, sectors(), any::<Option<bool>>(), places(), any::<bool>(), any::<bool>()).prop_map(
        |(log, region, sync, legs, handle_errors, keep_log)| {
            Target::Mirror(Mirror { log, region, sync, legs, handle_errors, keep_log })
        },
    )
}

fn snapshot() -> impl Strategy<Value = Target> {
    let persistence = prop::sample::select(vec![
        Persistence::Persistent,
        Persistence::PersistentOverflow,
        Persistence::Transient,
    ]);
    (device(), device(), persistence, sectors()).prop_map(|(origin, cow, persistence, chunk)| {
        Target::Snapshot(Snapshot { origin, cow, persistence, chunk })
    })
}

fn params() -> impl Strategy<Value = RaidParams> {
    let sync = prop::sample::select(vec![None, Some(SyncMode::Sync), Some(SyncMode::NoSync)]);
    let format = prop::sample::select(vec![Raid10Format::Near, Raid10Format::Far, Raid10Format::Offset]);
    let mode = of(prop::sample::select(vec![JournalMode::WriteThrough, JournalMode::WriteBack]));
    let journal = (device(), mode).prop_map(|(device, mode)| Journal { device, mode });
    let indices = || prop::collection::vec(any::<u32>(), 0..3);
    let rates = (
        sync,
        indices(),
        of(any::<u64>()),
        of(any::<u64>()),
        of(any::<u64>()),
        indices(),
        of(sectors()),
        of(sectors()),
    );
    let layout = (
        of(sectors()),
        of(any::<u32>()),
        of(format),
        any::<bool>(),
        of(any::<i32>()),
        of(sectors()),
        of(journal),
    );
    (rates, layout).prop_map(|(rates, layout)| RaidParams {
        sync: rates.0,
        rebuild: rates.1,
        daemon_sleep: rates.2,
        min_recovery_rate: rates.3,
        max_recovery_rate: rates.4,
        write_mostly: rates.5,
        max_write_behind: rates.6,
        stripe_cache: rates.7,
        region_size: layout.0,
        raid10_copies: layout.1,
        raid10_format: layout.2,
        raid10_use_near_sets: layout.3,
        delta_disks: layout.4,
        data_offset: layout.5,
        journal: layout.6,
    })
}

fn raid() -> impl Strategy<Value = Target> {
    let kind = prop::sample::select(RaidType::all().collect::<Vec<_>>());
    let leg = (of(device()), of(device())).prop_map(|(meta, data)| Leg { meta, data });
    (kind, sectors(), params(), prop::collection::vec(leg, 0..5))
        .prop_map(|(kind, chunk, params, legs)| Target::Raid(Raid { kind, chunk, params, legs }))
}

fn target() -> impl Strategy<Value = Target> {
    let unstriped = (any::<u32>(), sectors(), any::<u32>(), place())
        .prop_map(|(stripes, chunk, stripe, place)| Unstriped { stripes, chunk, stripe, place });
    prop_oneof![
        place().prop_map(|place| Target::Linear(Linear { place })),
        (sectors(), places()).prop_map(|(chunk, stripes)| Target::Striped(Striped { chunk, stripes })),
        unstriped.prop_map(Target::Unstriped),
        raid(),
        mirror(),
        snapshot(),
        device().prop_map(Target::SnapshotOrigin),
        Just(Target::Error),
        Just(Target::Zero),
    ]
}

fn parse(line: &str) -> Line {
    line.parse().unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn error(line: &str) -> String {
    line.parse::<Line>().unwrap_err().to_string()
}

fn raid_of(line: &str) -> Raid {
    match parse(line).target {
        Target::Raid(raid) => raid,
        other => panic!("{other:?}"),
    }
}

fn refusal(line: &str) -> String {
    parse(line).check().unwrap_err().to_string()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_line_reads_back_as_it_was_written(start in sectors(), length in sectors(), target in target()) {
        let line = Line { start, length, target };
        let read: Line = line.to_string().parse().unwrap();
        prop_assert_eq!(&read, &line);
        prop_assert_eq!(read.to_string(), line.to_string());
        prop_assert!(read.maps_like(&line));
    }

    #[test]
    fn any_text_is_a_line_or_an_error_and_never_a_panic(
        text in "([0-9]{1,20} ){2}(raid|striped|mirror|snapshot|linear|unstriped) ([a-z0-9_ -]{0,60})"
    ) {
        let _ = text.parse::<Line>().map(|line| line.check());
    }
}

#[test]
fn lines_that_the_kernel_printed_are_read_and_written_the_same() {
    for line in [
        "0 30720 raid raid1 2 0 nosync 2 - 8:0 - 8:16",
        "0 40960 raid raid5_ls 3 128 region_size 1024 3 254:0 254:1 254:2 254:3 254:4 254:5",
        "0 8192 raid raid5_ls 5 128 delta_disks 1 data_offset 2048 4 - 8:0 - 8:16 - 8:32 - -",
        "0 100 mirror core 2 1024 nosync 2 8:0 0 8:16 0 1 handle_errors",
        "0 100 mirror disk 2 253:4 1024 2 8:0 0 8:16 0",
        "0 2097152 striped 2 256 8:0 2048 8:16 2048",
        "0 10 unstriped 5 128 3 /dev/sda 2048",
        "0 10 snapshot 253:1 253:2 PO 16",
        "0 10 snapshot-origin 253:1",
        "0 10 zero",
        "0 10 error",
    ] {
        assert_eq!(parse(line).to_string(), line);
    }
}

#[test]
fn a_far_set_without_bit_18_is_known_by_the_word_that_the_kernel_leaves_out() {
    let printed = raid_of("0 1024 raid raid10 6 128 raid10_copies 2 raid10_format far 2 - 8:0 - 8:16");
    assert!(printed.params.raid10_use_near_sets);
    let given = raid_of(
        "0 1024 raid raid10 6 128 raid10_copies 2 raid10_format far raid10_use_near_sets 2 - 8:0 - 8:16",
    );
    assert_eq!(printed, given);
    let with_sets = raid_of("0 1024 raid raid10 5 128 raid10_copies 2 raid10_format far 2 - 8:0 - 8:16");
    assert!(!with_sets.maps_like(&given));
}

#[test]
fn defaults_and_aliases_and_order_make_no_difference_to_the_mapping() {
    let same = |one: &str, other: &str| parse(one).maps_like(&parse(other));
    assert!(same(
        "0 1024 raid raid10 1 128 2 - 8:0 - 8:16",
        "0 1024 raid raid10_near 7 128 region_size 1024 raid10_format near raid10_copies 2 2 - 8:0 - 8:16",
    ));
    assert!(same(
        "0 1024 raid raid5_ls 5 8 rebuild 0 rebuild 1 3 - a - b - c",
        "0 1024 raid raid5_ls 5 8 rebuild 1 rebuild 0 3 - a - b - c",
    ));
    assert!(!same("0 1024 raid raid5_ls 1 8 3 - a - b - c", "0 1024 raid raid5_ls 1 8 3 - a - c - b"));
    assert!(!same("0 1024 raid raid5_ls 1 8 3 - a - b - c", "0 1024 raid raid5_la 1 8 3 - a - b - c"));
}

#[test]
fn what_is_no_line_is_named() {
    assert_eq!(error("0 8 crypt x"), "unknown target 'crypt'");
    assert_eq!(error("0 8 linear /dev/sda"), "linear: the line ends where an offset in sectors should be");
    assert_eq!(error("0 8 linear /dev/sda 0 1"), "linear: '1' follows the last parameter");
    assert_eq!(error("0 x linear"), "table: found 'x', expected a length in sectors");
    assert_eq!(
        error("0 8 raid raid5_ls 3 128 nosync 3 - a - b - c"),
        "raid: the line says 3 parameters, found 2"
    );
    assert_eq!(
        error("0 8 raid raid5_ls 2 128 quick 3 - a - b - c"),
        "raid: found 'quick', expected a parameter or the number of devices"
    );
    assert_eq!(
        error("0 8 raid raid1 1 0 2 - a -"),
        "raid: the line ends where a data device or '-' should be"
    );
    assert_eq!(error("0 8 striped 99999999999 8 a 0"), "striped: the line ends where a device should be");
}

#[test]
fn what_the_kernel_refuses_is_refused_before() {
    for (line, reason) in [
        ("0 8 raid raid6_zr 2 8 nosync 4 - a - b - c - d", "raid6_zr does not take 'nosync'"),
        ("0 16 raid raid0 2 8 nosync 2 - a - b", "raid0 does not take 'nosync'"),
        ("0 16 raid raid6_zr 1 8 3 - a - b - c", "raid6_zr with 3 devices, expected 4 to 253"),
        ("0 16 raid raid5_ls 1 12 3 - a - b - c", "a chunk of 12 sectors, expected a power of two"),
        ("0 16 raid raid5_ls 1 4 3 - a - b - c", "a chunk of 4 sectors"),
        ("0 16 raid raid1 1 8 2 - a - b", "raid1 with a chunk of 8 sectors, expected 0"),
        ("0 17 raid raid5_ls 1 8 3 - a - b - c", "can not be divided"),
        ("0 24 raid raid5_ls 1 8 3 - a - b - c", "can not be divided"),
        ("0 8 raid raid1 1 0 2 a - - b", "device 0 has metadata but no data"),
        ("0 16 raid raid1 3 0 rebuild 2 2 - a - b", "'rebuild 2': there is no such member"),
        ("0 16 raid raid1 4 0 nosync rebuild 1 2 - a - b", "not together with sync or nosync"),
        ("0 16 raid raid1 5 0 write_mostly 0 write_mostly 1 2 - a - b", "one member must be left unmarked"),
        ("0 16 raid raid10 4 8 raid10_use_near_sets raid10_copies 2 2 ma a mb b", "only with raid10_format"),
        ("0 16 raid raid10 3 8 raid10_copies 3 2 ma a mb b", "'raid10_copies 3'"),
        ("0 24 raid raid10 1 8 5 ma a mb b mc c md d me e", "can not be divided"),
        (
            "0 16 raid raid10 5 8 raid10_copies 2 raid10_format far 4 ma a mb b mc c md d",
            "can not be divided",
        ),
        ("0 16 raid raid10 2 8 nosync 2 - a - b", "without metadata devices"),
        ("0 16 raid raid1 3 0 region_size 12 2 - a - b", "'region_size 12': expected a power of two"),
        ("0 16 raid raid1 3 0 region_size 32 2 - a - b", "larger than the target"),
        ("0 16 raid raid1 3 0 data_offset 24 2 - a - b", "'data_offset 24'"),
        ("0 17 striped 2 8 a 0 b 0", "2 stripes in chunks of 8 sectors do not fit"),
        ("0 16 striped 0 8", "striped: 0 stripes"),
        ("0 16 striped 2 0 a 0 b 0", "do not fit"),
        ("0 16 unstriped 2 8 2 a 0", "unstriped: 2 stripes"),
        ("0 0 zero", "has a length of 0 sectors"),
    ] {
        let found = refusal(line);
        assert!(found.contains(reason), "{line}: {found}");
    }
}

#[test]
fn what_the_kernel_takes_passes() {
    for line in [
        "0 16 raid raid5_ls 2 8 nosync 3 - a - b - c",
        "0 40 raid raid10 2 8 nosync 2 ma a mb b",
        "0 80 raid raid10 5 8 raid10_copies 2 raid10_format near 5 ma a mb b mc c md d me e",
        "0 32 raid raid10 6 8 raid10_copies 2 raid10_format far raid10_use_near_sets 4 ma a mb b mc c md d",
        "0 16 raid raid6_n_6 1 8 4 - a - b - - - d",
        "0 17 raid raid1 2 0 nosync 2 - a - -",
        "0 18 striped 3 6 a 0 b 0 c 0",
    ] {
        parse(line).check().unwrap_or_else(|error| panic!("{line}: {error}"));
    }
}

#[test]
fn a_table_has_no_gaps() {
    let table = ["0 8 zero", "8 8 error"].map(parse);
    Line::check_table(&table).unwrap();
    let table = ["0 8 zero", "9 8 error"].map(parse);
    assert_eq!(
        Line::check_table(&table).unwrap_err().to_string(),
        "the line at sector 9 should begin at sector 8"
    );
}
