//! Pictures of a layout: which chunk is on which member, as text and as SVG.
//!
//! A column is a slot with its device and state, a row is a row of chunks; as many rows are drawn as it takes for
//! the pattern to show. Members that are missing, failed, stale or only partly rebuilt are marked in every
//! cell. An array that is being reshaped is drawn twice, before and after.

mod picture;
mod svg;
#[cfg(test)]
mod tests;
mod text;

use crate::layout::LayoutError;
use picture::Picture;
use raid_meta::record::ArrayRecord;

/// The layout of an array as lines of text, at most `width` columns wide where that is possible. With `colour`,
/// with escape sequences for a terminal.
///
/// # Errors
/// The array can not be mapped.
pub fn text(record: &ArrayRecord, width: usize, colour: bool) -> Result<String, LayoutError> {
    Ok(text::render(&Picture::new(record)?, width, colour))
}

/// The layout of an array as an SVG document that needs nothing else.
///
/// # Errors
/// The array can not be mapped.
pub fn svg(record: &ArrayRecord) -> Result<String, LayoutError> {
    Ok(svg::render(&Picture::new(record)?))
}
