//! The variable that names the instructions for parity, where it names none that there are.

use crate::parity::{Engine, VARIABLE};
use raid_meta::cli::Console;
use raid_meta::escape::path_to_text;

/// Says that other instructions are used than were asked for. The results are the same.
pub fn check_instructions(console: &Console) {
    let Some(found) = std::env::var_os(VARIABLE).filter(|name| !name.is_empty()) else { return };
    let names: Vec<&str> = Engine::available().into_iter().map(Engine::name).collect();
    if names.iter().any(|name| found == *name) {
        return;
    }
    let (found, names) = (path_to_text(found.as_ref()), names.join(", "));
    let used = Engine::chosen().name();
    console
        .say(format_args!("{VARIABLE}: {found} is none that this processor has ({names}); {used} is used"));
}
