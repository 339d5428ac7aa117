//! What is found without a tenant, and what is not.

use voicecore_conformance::block_on;
use voicecore_conformance::doubles::{Numbers, SqliteDb};
use voicecore_conformance::interleave::both;
use voicecore_domain::{ApiKey, Permission, Permissions};
use voicecore_types::{AuditEntryId, CallId, E164, Millis, UserId};

use super::{NOW, World};
use crate::audit_log::AuditEntry;
use crate::directory::people::{self, Activation};
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

fn person(world: &World, email: &'static str, super_admin: i64) -> UserId {
    let id = UserId::new(NOW, &world.rng.bytes());
    let sql = "insert into users (id, email, created_at, super_admin) values (?1, ?2, 1, ?3)";
    world.select(sql, vec![id.to_string().into(), email.into(), super_admin.into()]);
    id
}

async fn set(world: &World, id: UserId, active: bool) -> Activation {
    let entry = AuditEntry {
        id: AuditEntryId::new(NOW, &world.rng.bytes()),
        at: NOW,
        actor_kind: "super_admin",
        actor_id: None,
        action: "user.deactivate",
        subject_id: None,
    };
    people::set_active(&world.db, id, active, &entry, &[]).await.unwrap()
}

/// The second one is refused, whatever was read before. Who does not run the installation can always be deactivated.
#[test]
fn somebody_is_left_who_runs_the_installation() {
    let world = World::new();
    let (one, two, other) = (
        person(&world, "one@example.com", 1),
        person(&world, "two@example.com", 1),
        person(&world, "other@example.com", 0),
    );
    let set = |id, active| block_on(set(&world, id, active));
    let entries = || world.select("select id from installation_log", vec![]).len();
    assert_eq!(set(one, false), Activation::Done);
    assert_eq!((set(two, false), entries()), (Activation::Refused, 1));
    assert!(block_on(people::get(&*world.db, two)).unwrap().unwrap().deactivated_at.is_none());
    assert_eq!(set(other, false), Activation::Done);
    assert_eq!((set(one, true), set(two, false)), (Activation::Done, Activation::Done));
    assert_eq!((set(UserId::new(NOW, &[9; 10]), false), entries()), (Activation::Refused, 4));
}

/// Two super admins who deactivate each other at the same moment. On PostgreSQL both batches are under way at once, on connections
/// of their own.
#[test]
fn of_two_who_deactivate_each_other_one_is_left() {
    let world = World::new();
    let (one, two) = (person(&world, "one@example.com", 1), person(&world, "two@example.com", 1));
    for n in 0..25 {
        let done = block_on(both(set(&world, one, false), set(&world, two, false)));
        assert!(
            matches!(done, (Activation::Done, Activation::Refused) | (Activation::Refused, Activation::Done)),
            "round {n}: {done:?}"
        );
        assert_eq!(
            block_on(both(set(&world, one, true), set(&world, two, true))),
            (Activation::Done, Activation::Done)
        );
    }
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
