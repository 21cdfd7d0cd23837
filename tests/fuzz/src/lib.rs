//! What the fuzz targets share: inputs as disks ([`image`]), and what has to hold for whatever is found on
//! them ([`holds`]).

pub mod holds;
pub mod image;
