//! Whom to believe.

use super::*;

fn generation(mut mpb: Mpb, generation: u32, family: u32) -> Mpb {
    mpb.header.generation_num = generation;
    mpb.header.family_num = family;
    sealed(mpb)
}

fn freshest(views: &[MemberView]) -> (usize, Vec<String>) {
    let (index, problems) = Isw.freshest(&views.iter().collect::<Vec<_>>());
    (index, problems.into_iter().map(|problem| problem.code).collect())
}

#[test]
fn inside_a_family_the_highest_generation_counts_in_any_order() {
    let old = view_of(&generation(raid5(3), 7, 1), "SER0");
    let new = view_of(&generation(raid5(3), 8, 1), "SER1");
    assert_eq!(freshest(&[old.clone(), new.clone()]), (1, vec![]));
    assert_eq!(freshest(&[new, old]), (0, vec![]));
}

#[test]
fn members_that_say_the_same_agree() {
    let views = [view_of(&raid5(3), "SER0"), view_of(&raid5(3), "SER2")];
    assert_eq!(freshest(&views), (0, vec![]));
}

#[test]
fn equal_generations_with_different_content_are_divergent() {
    let mut other = raid5(3);
    other.volumes[0].state.dirty = 1;
    let views = [view_of(&raid5(3), "SER0"), view_of(&sealed(other), "SER1")];
    assert_eq!(freshest(&views), (0, vec!["divergent".to_owned()]));
}

/// The container before and after SPARE took the place of SER1.
fn rebuilt() -> (Mpb, Mpb) {
    let before = generation(raid5(3), 9, 0x1122_3344);
    let mut after = raid5(3);
    after.disks[1].serial = padded("SPARE");
    (before, generation(after, 5, 0x5555_5555))
}

#[test]
fn the_family_of_a_former_member_does_not_count_however_high_its_generation() {
    let (before, after) = rebuilt();
    let views = [view_of(&before, "SER1"), view_of(&after, "SER0"), view_of(&after, "SPARE")];
    assert_eq!(freshest(&views), (1, vec![]));
}

#[test]
fn families_that_both_could_be_current_are_a_conflict() {
    let (before, after) = rebuilt();
    let views = [view_of(&before, "SER1"), view_of(&after, "SPARE"), view_of(&after, "SER2")];
    // SER2 is in the old table and has the new family.
    assert_eq!(freshest(&views), (1, vec![]));
    let views = [view_of(&before, "SER1"), view_of(&after, "SPARE")];
    assert_eq!(freshest(&views), (0, vec!["divergent".to_owned()]));
}
