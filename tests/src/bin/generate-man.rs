//! Writes the manual pages, the completions and the JSON Schema of the records from the code: `make man`.

use anyhow::Context as _;
use raid_tests::{generated, workspace};
use std::fs;

fn main() -> anyhow::Result<()> {
    let top = workspace();
    for file in generated::all()? {
        let path = top.join(&file.path);
        let name = || file.path.display().to_string();
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(name)?;
        }
        if fs::read(&path).ok().as_ref() != Some(&file.bytes) {
            fs::write(&path, &file.bytes).with_context(name)?;
            println!("{}", file.path.display());
        }
    }
    Ok(())
}
