//! Members to arrays: identity, freshness, missing, foreign, divergent.

use crate::identify::Member;
use crate::record::ArrayRecord;

/// Makes arrays of members. Members get the problems that only the comparison shows. With `assume_order`,
/// members whose slot is unknown take the free slots in the order in which they are given.
pub fn group(_members: &mut [Member], _assume_order: bool) -> Vec<ArrayRecord> {
    Vec::new()
}
