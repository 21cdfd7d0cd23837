//! Records of single places: from an array sector to the members, and back.

use super::{ArrayMap, Content, Map, Place, Role, Side};
use raid_meta::record::{PlaceMate, PlaceRecord, PlaceRole, V1};
use raid_meta::units::{Count, Sectors, Slot};

impl ArrayMap {
    /// Where an array sector lives; none at and beyond the end of the array.
    #[must_use]
    pub fn place(&self, array_sector: Sectors) -> Option<PlaceRecord> {
        let stretch = self.stretches(array_sector, Sectors(1)).next()?;
        self.data_place(stretch.map, stretch.side, array_sector, 0)
    }

    /// What a sector of a device holds, one record for each member whose window has it. A sector that the
    /// array does not use (metadata, what is left over at the end) has role data and no array sector.
    /// `device` is as in the array record.
    #[must_use]
    pub fn places_on_device(&self, device: &str, sector: Sectors) -> Vec<PlaceRecord> {
        let slots = (0..).map(Slot).zip(&self.homes);
        slots
            .filter(|(_, home)| home.has(device, sector))
            .filter_map(|(slot, _)| self.place_on_slot(slot, sector))
            .collect()
    }

    /// The same for the member of one slot; none when there is no such slot. The sector is one of the device, or
    /// where that is not known, of the member's data.
    #[must_use]
    pub fn place_on_slot(&self, slot: Slot, device_sector: Sectors) -> Option<PlaceRecord> {
        let home = self.homes.get(slot.index())?;
        let live = [Side::After, Side::Before].into_iter().find_map(|side| {
            let member_sector = device_sector.checked_sub(home.start(side))?;
            self.live_place(side, slot, member_sector)
        });
        Some(live.unwrap_or_else(|| PlaceRecord {
            v: V1,
            array: self.name.clone(),
            array_sector: None,
            device: home.device.clone(),
            member_slot: slot,
            member_sector: device_sector,
            role: PlaceRole::Data,
            stripe: None,
            mates: Vec::new(),
        }))
    }

    /// What a member sector holds for one side of a reshape; none when what it held is on the other side.
    fn live_place(&self, side: Side, slot: Slot, member_sector: Sectors) -> Option<PlaceRecord> {
        let map = self.map(side)?;
        match map.reverse(slot, member_sector)? {
            Content::Data { array_sector, copy } => {
                if self.side(array_sector) != side {
                    return None;
                }
                self.data_place(map, side, array_sector, copy)
            }
            Content::P { stripe } | Content::Q { stripe } => {
                let covered = map.row(stripe)?.array_sector(member_sector);
                let place = Place { slot, sector: member_sector };
                (self.side(covered) == side).then(|| self.stripe_place(map, side, stripe, place)).flatten()
            }
        }
    }

    fn data_place(&self, map: &Map, side: Side, array_sector: Sectors, copy: usize) -> Option<PlaceRecord> {
        let extent = map.extents(array_sector, Sectors(1)).next()?;
        let place = *extent.copies.get(copy)?;
        if let Some(stripe) = extent.stripe.filter(|&stripe| map.row(stripe).is_some()) {
            let record = self.stripe_place(map, side, stripe, place)?;
            return Some(PlaceRecord { array_sector: Some(array_sector), ..record });
        }
        let role = |copy: usize| if copy == 0 { PlaceRole::Data } else { PlaceRole::Copy };
        let others = extent.copies.iter().enumerate().filter(|(number, _)| *number != copy);
        Some(PlaceRecord {
            array_sector: Some(array_sector),
            stripe: extent.stripe.map(Count),
            mates: others.map(|(number, &mate)| self.mate(side, mate, role(number))).collect(),
            ..self.bare(side, place, role(copy))
        })
    }

    /// A place of a stripe, with all other slots as its mates.
    fn stripe_place(&self, map: &Map, side: Side, stripe: u64, place: Place) -> Option<PlaceRecord> {
        let row = map.row(stripe)?;
        let role = |role| match role {
            Role::Data { .. } => PlaceRole::Data,
            Role::P => PlaceRole::P,
            Role::Q => PlaceRole::Q,
        };
        let slots = (0..).map(Slot).zip(row.roles());
        let mates = slots
            .filter(|(slot, _)| *slot != place.slot)
            .map(|(slot, mate)| self.mate(side, Place { slot, ..place }, role(mate)))
            .collect();
        let record = self.bare(side, place, role(row.role(place.slot)?));
        Some(PlaceRecord { stripe: Some(Count(stripe)), mates, ..record })
    }

    fn bare(&self, side: Side, place: Place, role: PlaceRole) -> PlaceRecord {
        let PlaceMate { device, member_slot, member_sector, role } = self.mate(side, place, role);
        PlaceRecord {
            v: V1,
            array: self.name.clone(),
            array_sector: None,
            device,
            member_slot,
            member_sector,
            role,
            stripe: None,
            mates: Vec::new(),
        }
    }

    fn mate(&self, side: Side, place: Place, role: PlaceRole) -> PlaceMate {
        PlaceMate {
            device: self.homes.get(place.slot.index()).and_then(|home| home.device.clone()),
            member_slot: place.slot,
            member_sector: self.data_start(place.slot, side).saturating_add(place.sector),
            role,
        }
    }
}
