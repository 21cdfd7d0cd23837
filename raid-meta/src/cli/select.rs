//! Which array is meant.

use super::exit::{Exit, Failure};
use crate::record::ArrayRecord;
use std::collections::HashSet;

/// The array that `--array` names: by its name, its uuid, or its volume where only one has that. With nothing
/// named, the only top-level array: one that is no member of another.
///
/// # Errors
/// None is found (exit 1), or it is not clear which one is meant (exit 2, with the candidates).
pub fn select_array<'a>(arrays: &'a [ArrayRecord], wanted: Option<&str>) -> Result<&'a ArrayRecord, Failure> {
    if arrays.is_empty() {
        return Err(Failure::new(Exit::No, "no array found"));
    }
    let Some(wanted) = wanted else {
        return only(&top_level(arrays)?, "more than one array; --array takes one of");
    };
    if let Some(array) = arrays.iter().find(|array| array.name == wanted) {
        return Ok(array);
    }
    let matches =
        |name: &Option<String>| name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(wanted));
    let by_uuid: Vec<_> = arrays.iter().filter(|array| matches(&array.uuid)).collect();
    let by_volume = || arrays.iter().filter(|array| array.volume.as_deref() == Some(wanted)).collect();
    let found = if by_uuid.is_empty() { by_volume() } else { by_uuid };
    if found.is_empty() {
        let all: Vec<_> = arrays.iter().collect();
        return Err(Failure::usage(format!("no array '{wanted}'; there is {}", names(&all))));
    }
    only(&found, &format!("'{wanted}' is more than one array; --array takes one of"))
}

/// The arrays that are no member of another.
///
/// # Errors
/// There are arrays, but each is a member of one (exit 3).
pub fn top_level(arrays: &[ArrayRecord]) -> Result<Vec<&ArrayRecord>, Failure> {
    let members = arrays.iter().flat_map(|array| &array.members);
    let subsets: HashSet<&str> = members
        .flat_map(|member| [&member.array, &member.metadata_array])
        .filter_map(Option::as_deref)
        .collect();
    let top: Vec<_> = arrays.iter().filter(|array| !subsets.contains(array.name.as_str())).collect();
    if top.is_empty() && !arrays.is_empty() {
        return Err(Failure::new(
            Exit::BadData,
            "every array is a member of another: none contains the rest",
        ));
    }
    Ok(top)
}

fn only<'a>(arrays: &[&'a ArrayRecord], otherwise: &str) -> Result<&'a ArrayRecord, Failure> {
    match arrays {
        [array] => Ok(array),
        _ => Err(Failure::usage(format!("{otherwise} {}", names(arrays)))),
    }
}

fn names(arrays: &[&ArrayRecord]) -> String {
    arrays.iter().map(|array| array.name.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn array(name: &str, volume: &str, subset: Option<&str>) -> ArrayRecord {
        let member = json!({"slot": 0, "array": subset, "state": "in-sync"});
        serde_json::from_value(json!({
            "v": 1, "name": name, "volume": volume, "uuid": format!("uuid-{name}"), "level": "raid1",
            "size_sectors": 8, "slots": 1, "members": [member],
        }))
        .unwrap()
    }

    fn selected(arrays: &[ArrayRecord], wanted: Option<&str>) -> Result<String, String> {
        match select_array(arrays, wanted) {
            Ok(array) => Ok(array.name.clone()),
            Err(failure) => Err(failure.to_string()),
        }
    }

    #[test]
    fn an_array_is_found_by_name_uuid_or_volume() {
        let arrays = [array("md_a", "a", None), array("md_b", "b", None)];
        assert_eq!(selected(&arrays, Some("md_b")), Ok("md_b".into()));
        assert_eq!(selected(&arrays, Some("UUID-md_a")), Ok("md_a".into()));
        assert_eq!(selected(&arrays, Some("b")), Ok("md_b".into()));
        assert_eq!(selected(&arrays, Some("c")), Err("no array 'c'; there is md_a, md_b".into()));
    }

    #[test]
    fn an_ambiguous_volume_is_refused_with_the_candidates() {
        let arrays = [array("x_v", "v", None), array("y_v", "v", None)];
        let message = "'v' is more than one array; --array takes one of x_v, y_v";
        assert_eq!(selected(&arrays, Some("v")), Err(message.into()));
    }

    #[test]
    fn without_a_name_the_only_top_level_array_is_meant() {
        let nested = [array("leg", "l", None), array("top", "t", Some("leg"))];
        assert_eq!(selected(&nested, None), Ok("top".into()));
        let two = [array("a", "a", None), array("b", "b", None)];
        assert_eq!(selected(&two, None), Err("more than one array; --array takes one of a, b".into()));
        assert_eq!(selected(&[], None), Err("no array found".into()));
    }

    #[test]
    fn arrays_that_are_members_of_each_other_are_bad_data() {
        let ring = [array("a", "x", Some("b")), array("b", "y", Some("a"))];
        let failure = select_array(&ring, None).unwrap_err();
        assert_eq!(failure.to_string(), "every array is a member of another: none contains the rest");
        assert_eq!(Exit::of(&failure.into()), Exit::BadData);
        assert_eq!(selected(&ring, Some("a")), Ok("a".into()));
        assert!(top_level(&[]).unwrap().is_empty());
    }
}
