//! What is found without a tenant, and what is not.

use voicecore_conformance::block_on;
use voicecore_conformance::doubles::{Numbers, SqliteDb};
use voicecore_domain::{ApiKey, Permission, Permissions};
use voicecore_types::{CallId, E164, Millis};

use super::{NOW, World};
use crate::seal::{FreshKey, MasterKey, SealError};
use crate::{StoreError, directory};

#[test]
fn a_database_without_migrations_is_not_ready() {
    assert!(block_on(directory::ready(&*World::new().db)).is_ok());
    assert!(block_on(directory::ready(&SqliteDb::empty(Numbers::Doubles))).is_err());
}

#[test]
fn a_key_must_be_known_right_and_not_revoked() {
    let world = World::new();
    let mut random = [3; 40];
    let key = ApiKey::new(&random);
    let token = world.setup_token("owner@example.com");
    world.try_tenant("+15005550001", &key, &token, NOW).unwrap();
    let found = |key: &ApiKey| block_on(directory::api_key(&world.db, key, NOW)).unwrap().is_some();
    assert!(found(&key));

    random[39] ^= 1;
    let wrong = ApiKey::new(&random);
    assert_eq!(wrong.prefix(), key.prefix());
    assert!(!found(&wrong));
    assert!(!found(&ApiKey::new(&[4; 40])));

    world.select("update api_keys set revoked_at = 1", vec![]);
    assert!(!found(&key));
}

#[test]
fn a_key_opens_until_it_expires_and_only_what_it_names() {
    let world = World::new();
    let key = ApiKey::new(&[3; 40]);
    world.try_tenant("+15005550001", &key, &world.setup_token("owner@example.com"), NOW).unwrap();
    let found = |now| block_on(directory::api_key(&world.db, &key, now)).unwrap();
    let far = NOW.plus(Millis::from_secs(100 * 366 * 86_400));
    assert_eq!(found(far).unwrap().permissions, Permissions::of_tenant());

    world.select(
        "update api_keys set expires_at = ?1, permissions = ?2",
        vec![NOW.into(), "live:read some:future calls:read".into()],
    );
    let named = [Permission::CallsRead, Permission::LiveRead].into_iter().collect();
    assert_eq!(found(Millis(NOW.0 - 1)).unwrap().permissions, named);
    assert!(found(NOW).is_none() && found(far).is_none());
}

#[test]
fn the_lookup_key_is_made_once() {
    let world = World::new();
    let number: E164 = "+15005550001".parse().unwrap();
    let fresh = FreshKey { key: [1; 32], nonce: [2; 12] };
    let again = block_on(directory::ensure_lookup_key(&*world.db, &world.master, &fresh, NOW)).unwrap();
    assert_eq!(again.dialled(&number), world.lookup.dialled(&number));

    let other =
        MasterKey::from_base64(&"B".repeat(42).replace('B', "Q").chars().chain(['A']).collect::<String>())
            .unwrap();
    let refused = block_on(directory::lookup_key(&*world.db, &other));
    assert!(matches!(refused, Err(StoreError::Key(SealError::OtherMasterKey))), "{refused:?}");
    let empty = SqliteDb::migrated(Numbers::Doubles);
    assert!(block_on(directory::lookup_key(&empty, &world.master)).unwrap().is_none());
}

#[test]
fn calls_are_found_by_either_name() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let call = world.admitted(&tenant, "CA1", NOW);
    let by_id = block_on(directory::call(&world.db, call.id)).unwrap().unwrap();
    let by_carrier = block_on(directory::call_by_carrier_id(&world.db, "CA1")).unwrap().unwrap();
    for found in [by_id, by_carrier] {
        assert_eq!(found.scope.tenant(), tenant.scope.tenant());
        assert_eq!((found.call_id, found.carrier_call_id.as_str()), (call.id, "CA1"));
        assert_eq!((found.status, found.finished), (call.status, false));
    }
    assert!(block_on(directory::call(&world.db, CallId::new(NOW, &[1; 10]))).unwrap().is_none());
    assert!(block_on(directory::call_by_carrier_id(&world.db, "CA2")).unwrap().is_none());
}

#[test]
fn an_odd_row_is_an_error() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let call = world.admitted(&tenant, "CA1", NOW);
    world.select("update calls set status = 'sleeping'", vec![]);
    let odd = block_on(directory::call(&world.db, call.id));
    assert!(matches!(odd, Err(StoreError::OddRow { column: "status" })), "{odd:?}");
    let odd = block_on(crate::calls::get(&tenant.scope, call.id));
    assert!(matches!(odd, Err(StoreError::OddRow { column: "status" })), "{odd:?}");
}
