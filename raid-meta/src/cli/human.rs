//! Numbers for people.

use crate::units::Sectors;

/// A length with a unit: `36.0 MiB`, `64 KiB`. Sectors that make no whole KiB stay sectors.
#[must_use]
pub fn size(sectors: Sectors) -> String {
    const UNITS: [(&str, u64); 5] =
        [("EiB", 1 << 51), ("TiB", 1 << 31), ("GiB", 1 << 21), ("MiB", 1 << 11), ("KiB", 1 << 1)];
    for (unit, in_sectors) in UNITS {
        if sectors.0 < in_sectors {
            continue;
        }
        let whole = sectors.0 / in_sectors;
        if sectors.0.is_multiple_of(in_sectors) {
            return format!("{whole} {unit}");
        }
        if unit != "KiB" {
            // The remainder is below 2^51, so ten times that fits.
            let tenths = (sectors.0 % in_sectors).saturating_mul(10) / in_sectors;
            return format!("{whole}.{tenths} {unit}");
        }
    }
    format!("{sectors} sectors")
}

/// The same with the exact number of sectors.
#[must_use]
pub fn size_and_sectors(sectors: Sectors) -> String {
    let short = size(sectors);
    if short.ends_with("sectors") { short } else { format!("{short} ({sectors} sectors)") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_the_largest_unit_that_fits() {
        let shown = |sectors| size(Sectors(sectors));
        assert_eq!(shown(0), "0 sectors");
        assert_eq!(shown(1), "1 sectors");
        assert_eq!(shown(128), "64 KiB");
        assert_eq!(shown(73728), "36 MiB");
        assert_eq!(shown(73728 + 1024), "36.5 MiB");
        assert_eq!(shown(u64::MAX), "8191.9 EiB");
        assert_eq!(size_and_sectors(Sectors(128)), "64 KiB (128 sectors)");
    }
}
