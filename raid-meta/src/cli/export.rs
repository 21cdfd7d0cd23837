//! Records as shell variables: `RAID_FIELD='value'`, for `eval` in a POSIX shell and for udev's `IMPORT`.
//!
//! A list has its index in the name (`RAID_MEMBERS_0_DEVICE`), null is empty, and a value is always in single
//! quotes, with control characters as `\xNN` so that a line stays a line.

use super::text::clean;
use serde_json::Value;

/// The lines of one record.
pub(super) fn block(record: &Value) -> String {
    let mut lines = String::new();
    append(&mut lines, "RAID", record);
    lines
}

fn append(lines: &mut String, name: &str, value: &Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                append(lines, &format!("{name}_{}", variable(key)), value);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                append(lines, &format!("{name}_{index}"), value);
            }
        }
        Value::Null => line(lines, name, ""),
        Value::String(text) => line(lines, name, text),
        Value::Bool(_) | Value::Number(_) => line(lines, name, &value.to_string()),
    }
}

fn line(lines: &mut String, name: &str, value: &str) {
    for part in [name, "='", &clean(value).replace('\'', r"'\''"), "'\n"] {
        lines.push_str(part);
    }
}

/// A key as part of a variable name: capitals, digits, underscores.
fn variable(key: &str) -> String {
    let letter =
        |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' };
    key.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn lists_and_objects_become_names() {
        let record =
            json!({"type": "array", "dirty": null, "members": [{"slot": 0, "device": "a"}, {"slot": 1}]});
        let lines = "RAID_TYPE='array'\nRAID_DIRTY=''\nRAID_MEMBERS_0_SLOT='0'\nRAID_MEMBERS_0_DEVICE='a'\n\
                     RAID_MEMBERS_1_SLOT='1'\n";
        assert_eq!(block(&record), lines);
    }

    #[test]
    fn a_hostile_value_stays_inside_its_quotes() {
        let record = json!({"na me;": "'; rm -rf / #\n$(x)`y`\\x0a"});
        assert_eq!(block(&record), "RAID_NA_ME_=''\\''; rm -rf / #\\x0a$(x)`y`\\x0a'\n");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn a_shell_reads_the_value_back(text: String) {
            let value = clean(&text).into_owned();
            let script = format!("{}printf %s \"$RAID_NAME\"", block(&json!({"name": text})));
            let shell = std::process::Command::new("sh").arg("-c").arg(script).output();
            prop_assert_eq!(String::from_utf8(shell.unwrap().stdout).unwrap(), value);
        }
    }
}
