//! Times from metadata as text: UTC, ISO 8601, whatever the time zone of the machine.

const SECONDS_IN_DAY: u64 = 86_400;
/// 0001-01-01 to 1970-01-01, by the calendar that has leap years all the way back.
const DAYS_TO_1970: u64 = 719_162;
const DAYS_IN_400_YEARS: u64 = 146_097;
/// The first second of the year 10000.
const END: u64 = 253_402_300_800;

/// Seconds since the start of 1970 as `2026-11-21T00:54:54Z`; none past the year 9999, which no clock meant.
#[must_use]
pub fn utc(seconds: u64) -> Option<String> {
    if seconds >= END {
        return None;
    }
    let (year, month, day) = date(seconds / SECONDS_IN_DAY);
    let of_day = seconds % SECONDS_IN_DAY;
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

/// The date of a day, counted from the start of 1970.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days.saturating_add(DAYS_TO_1970);
    let era_day = days % DAYS_IN_400_YEARS;
    // A year has at least 365 days, so this is the year or one too late; leap days decide.
    let mut year = era_day / 365;
    if days_before_year(year) > era_day {
        year = year.saturating_sub(1);
    }
    let mut day = era_day.saturating_sub(days_before_year(year));
    let mut month = 1;
    for length in month_lengths(year.saturating_add(1)) {
        if day < length {
            break;
        }
        day = day.saturating_sub(length);
        month = u64::saturating_add(month, 1);
    }
    let years_before = (days / DAYS_IN_400_YEARS).saturating_mul(400);
    (years_before.saturating_add(year).saturating_add(1), month, day.saturating_add(1))
}

/// Days in that many years from the start of a period of 400 years.
fn days_before_year(years: u64) -> u64 {
    let leap_days = (years / 4).saturating_sub(years / 100).saturating_add(years / 400);
    years.saturating_mul(365).saturating_add(leap_days)
}

fn month_lengths(year: u64) -> [u64; 12] {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_the_calendars() {
        let cases = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_799, "2000-02-29T23:59:59Z"),
            (978_307_199, "2000-12-31T23:59:59Z"),
            (1_795_222_494, "2026-11-21T00:54:54Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (4_294_967_295, "2106-02-07T06:28:15Z"),
            (END - 1, "9999-12-31T23:59:59Z"),
        ];
        for (seconds, text) in cases {
            assert_eq!(utc(seconds).as_deref(), Some(text));
        }
        assert_eq!(utc(END), None);
        assert_eq!(utc(u64::MAX), None);
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut previous = date(0);
        for day in 1..200_000 {
            let next = date(day);
            let (year, month, first) = next;
            let stepped = next == (previous.0, previous.1, previous.2 + 1);
            let new_month = first == 1 && (year, month) == (previous.0, previous.1 + 1);
            let new_year = (month, first) == (1, 1) && year == previous.0 + 1 && previous.1 == 12;
            assert!(stepped || new_month || new_year, "{previous:?} then {next:?}");
            previous = next;
        }
    }
}
