//! Encryption at rest (property A13).

use proptest::prelude::*;
use voicecore_types::{Millis, TenantId};

use crate::seal::{Column, FreshKey, MasterKey, SealError, Sealed, Sealer, WrappedKey};

const COLUMNS: [Column; 5] = [
    Column::PhoneNumber,
    Column::FallbackNumber,
    Column::CallerNumber,
    Column::CallbackNumber,
    Column::Journal,
];

fn master(byte: u8) -> MasterKey {
    use base64::Engine as _;
    MasterKey::from_base64(&base64::engine::general_purpose::STANDARD.encode([byte; 32])).unwrap()
}

fn tenant(byte: u8) -> TenantId {
    TenantId::new(Millis(u64::from(byte)), &[byte; 10])
}

fn sealer(tenant_byte: u8, key: [u8; 32]) -> Sealer {
    let wrapped = master(1).new_tenant_key(tenant(tenant_byte), &FreshKey { key, nonce: [5; 12] }).unwrap();
    master(1).open_tenant(tenant(tenant_byte), &wrapped).unwrap()
}

/// Another text of the same length: one character of the alphabet replaced.
fn tampered(text: &str, place: prop::sample::Index, shift: u8) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    let mut bytes = text.as_bytes().to_vec();
    let at = place.index(bytes.len());
    let now = ALPHABET.iter().position(|b| *b == bytes[at]).unwrap_or(0);
    bytes[at] = ALPHABET[(now + 1 + usize::from(shift) % (ALPHABET.len() - 1)) % ALPHABET.len()];
    String::from_utf8(bytes).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a13_what_is_sealed_opens_again(text in ".{0,200}", key in any::<[u8; 32]>(), nonce in any::<[u8; 12]>(), c in 0_usize..5) {
        let sealer = sealer(1, key);
        let sealed = sealer.seal(COLUMNS[c], &text, nonce).unwrap();
        prop_assert_eq!(sealer.open(COLUMNS[c], &sealed), Ok(text.clone()));
        let bytes = sealer.seal_bytes(COLUMNS[c], text.as_bytes(), nonce).unwrap();
        prop_assert_eq!(sealer.open_bytes(COLUMNS[c], &bytes), Ok(text.clone().into_bytes()));
        if text.len() > 8 {
            prop_assert!(!sealed.as_stored().contains(&text));
        }
    }

    /// Another tenant (even with the same key), another column, another key: nothing opens.
    #[test]
    fn a13_what_is_moved_does_not_open(text in ".{0,40}", key in any::<[u8; 32]>(), c in 0_usize..5, d in 1_usize..5) {
        let sealed = sealer(1, key).seal(COLUMNS[c], &text, [7; 12]).unwrap();
        let mut other_key = key;
        other_key[0] ^= 1;
        let unreadable = Err(SealError::Unreadable);
        prop_assert_eq!(&sealer(2, key).open(COLUMNS[c], &sealed), &unreadable);
        prop_assert_eq!(&sealer(1, key).open(COLUMNS[(c + d) % 5], &sealed), &unreadable);
        prop_assert_eq!(&sealer(1, other_key).open(COLUMNS[c], &sealed), &unreadable);
    }

    #[test]
    fn a13_what_is_tampered_with_does_not_open(text in ".{0,40}", at in any::<prop::sample::Index>(), shift in any::<u8>()) {
        let sealer = sealer(1, [9; 32]);
        let sealed = sealer.seal(Column::CallerNumber, &text, [7; 12]).unwrap();
        let other = Sealed::from_stored(tampered(sealed.as_stored(), at, shift));
        prop_assert_eq!(sealer.open(Column::CallerNumber, &other), Err(SealError::Unreadable));

        let mut bytes = sealer.seal_bytes(Column::Journal, text.as_bytes(), [7; 12]).unwrap();
        let place = at.index(bytes.len());
        bytes[place] ^= shift.max(1);
        prop_assert_eq!(sealer.open_bytes(Column::Journal, &bytes), Err(SealError::Unreadable));
    }

    /// Whatever stands in a column, opening it is an answer and not a panic.
    #[test]
    fn any_stored_text_is_survived(text in ".{0,80}|v1\\..{0,80}|v1\\.[A-Za-z0-9]{8}\\.[A-Za-z0-9_-]{0,90}") {
        prop_assert!(sealer(1, [9; 32]).open(Column::PhoneNumber, &Sealed::from_stored(text.clone())).is_err());
        prop_assert!(sealer(1, [9; 32]).open_bytes(Column::Journal, text.as_bytes()).is_err());
        prop_assert!(master(1).open_tenant(tenant(1), &WrappedKey::from_stored(text)).is_err());
    }

    /// A wrapped key is its tenant's, and says so when another MASTER_KEY is configured.
    #[test]
    fn a13_wrapped_keys_are_bound(key in any::<[u8; 32]>(), nonce in any::<[u8; 12]>(), at in any::<prop::sample::Index>(), shift in any::<u8>()) {
        let wrapped = master(1).new_tenant_key(tenant(1), &FreshKey { key, nonce }).unwrap();
        prop_assert_eq!(master(2).open_tenant(tenant(1), &wrapped).err(), Some(SealError::OtherMasterKey));
        prop_assert_eq!(master(1).open_tenant(tenant(2), &wrapped).err(), Some(SealError::Unreadable));
        prop_assert_eq!(master(1).open_lookup(&wrapped).err(), Some(SealError::Unreadable));
        let other = WrappedKey::from_stored(tampered(wrapped.as_stored(), at, shift));
        prop_assert!(master(1).open_tenant(tenant(1), &other).is_err());
    }
}

#[test]
fn a_master_key_is_32_bytes_of_base64() {
    for bad in ["", "short", &"A".repeat(42), &"A".repeat(45), "!".repeat(44).as_str()] {
        assert_eq!(MasterKey::from_base64(bad).err(), Some(SealError::BadMasterKey), "{bad}");
    }
    assert!(MasterKey::from_base64(&format!(" {}=\n", "A".repeat(43))).is_ok());
}

/// The formats are a promise to what is stored: a change here needs a version of its own. The values were computed with
/// Node's `crypto`, not with this crate.
#[test]
fn the_formats_stand() {
    let sealed = sealer(1, [9; 32]).seal(Column::CallerNumber, "+15005550006", [7; 12]).unwrap();
    assert_eq!(sealed.as_stored(), "v1.BwcHBwcHBwcHBwcHcoq4r1hEyixH2me7_ta9y9fhOIT5bX7tD53QUQ");
    let wrapped = master(1).new_lookup_key(&FreshKey { key: [3; 32], nonce: [5; 12] }).unwrap();
    assert_eq!(
        wrapped.as_stored(),
        "v1.OgY2yiQc.BQUFBQUFBQUFBQUFAqHiNmGxMIR2GXufwpD2iWP6Ey5itnZoJK1hEAUaw46fIB0ALrb7PputbTAuJVGs"
    );
    let hash = master(1).open_lookup(&wrapped).unwrap().dialled(&"+15005550006".parse().unwrap());
    assert_eq!(hash.as_stored(), "LHutx-Op1ws0pajNRgdkIFFI6DeeuVdbkeXvXAWVlHI");
}
