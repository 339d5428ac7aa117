//! Provisioning: everything or nothing (property A2).

use voicecore_conformance::block_on;
use voicecore_domain::{ApiKey, BuiltinRole, SetupToken, credentials};
use voicecore_types::{E164, InvitationId, Millis, UserId};

use super::{NOW, World};
use crate::idempotency::{self, Once};
use crate::invitations::NewInvitation;
use crate::tenants::{Owner, ProvisionError};
use crate::users::RoleRef;
use crate::{directory, seal::Column};

#[test]
fn a02_a_provisioned_tenant_takes_a_call_at_once() {
    let world = World::new();
    let key = ApiKey::new(&world.rng.bytes());
    let token = world.setup_token(" Owner@Example.com ");
    assert_eq!(
        block_on(directory::setup_token(&*world.db, &token, NOW)).unwrap().as_deref(),
        Some("owner@example.com")
    );
    let tenant = world.try_tenant("+15005550001", &key, &token, NOW).unwrap();

    let number: E164 = "+15005550001".parse().unwrap();
    let rung =
        block_on(directory::dialled_number(&world.db, &world.lookup.dialled(&number))).unwrap().unwrap();
    assert_eq!(rung.scope.tenant(), tenant.scope.tenant());
    assert_eq!((rung.business_id, rung.phone_number_id), (tenant.business, tenant.number));
    world.admitted(&tenant, "CA1", NOW);

    let principal = block_on(directory::api_key(&world.db, &key, NOW)).unwrap().unwrap();
    assert_eq!(principal.scope.tenant(), tenant.scope.tenant());
    let owners = world.select("select role from memberships", vec![]);
    assert_eq!(owners.len(), 1);
    assert_eq!(world.select("select action from audit_log", vec![]).len(), 1);
}

#[test]
fn a02_what_fails_leaves_nothing() {
    let world = World::new();
    let first = world.tenant("+15005550001");
    let used = world.setup_token("second@example.com");
    world.try_tenant("+15005550002", &ApiKey::new(&world.rng.bytes()), &used, NOW).unwrap();
    let good = world.setup_token("third@example.com");
    let unknown = SetupToken::new(&world.rng.bytes());
    let expired = NOW.plus(credentials::SETUP_TOKEN_LIFETIME);
    let known_key = ApiKey::new(&world.rng.bytes());
    let before = world.stored.dump();

    let attempt = |number, token, now| world.try_tenant(number, &known_key, token, now).err();
    assert!(matches!(attempt("+15005550003", &used, NOW), Some(ProvisionError::TokenInvalid)));
    assert!(matches!(attempt("+15005550003", &unknown, NOW), Some(ProvisionError::TokenInvalid)));
    assert!(matches!(attempt("+15005550003", &good, expired), Some(ProvisionError::TokenInvalid)));
    assert!(matches!(attempt("+15005550001", &good, NOW), Some(ProvisionError::NumberTaken)));
    assert_eq!(world.stored.dump(), before);
    assert!(block_on(directory::api_key(&world.db, &known_key, NOW)).unwrap().is_none());

    // The token that was spent on a taken number is still good, once.
    assert!(attempt("+15005550003", &good, NOW.plus(Millis(1))).is_none());
    assert!(matches!(
        attempt("+15005550004", &good, NOW.plus(Millis(2))),
        Some(ProvisionError::TokenInvalid)
    ));
    assert_eq!(first.scope.tenant(), first.scope.tenant());
}

#[test]
fn one_person_may_own_two_tenants() {
    let world = World::new();
    world.tenant("+15005550001");
    world.tenant("+15005550002");
    assert_eq!(world.select("select id from users", vec![]).len(), 1);
    assert_eq!(world.select("select user_id from memberships", vec![]).len(), 2);
}

#[test]
fn a13_no_number_and_no_secret_is_readable_in_the_database() {
    let world = World::new();
    let key = ApiKey::new(&world.rng.bytes());
    let token = world.setup_token("owner@example.com");
    let tenant = world.try_tenant("+15005550001", &key, &token, NOW).unwrap();
    let caller: E164 = "+15005550444".parse().unwrap();
    let sealed = tenant.sealer.seal(Column::CallerNumber, caller.expose(), world.rng.bytes()).unwrap();
    let call = crate::calls::NewCall {
        call_id: world.call_id(NOW),
        carrier_call_id: "CA1",
        business_id: tenant.business,
        phone_number_id: tenant.number,
        direction: voicecore_domain::CallDirection::Inbound,
        status: voicecore_domain::CallStatus::Ringing,
        caller: Some((&sealed, &world.lookup.caller(tenant.scope.tenant(), &caller))),
        started_at: NOW,
    };
    block_on(crate::calls::admit(&tenant.scope, &call)).unwrap();
    let secret_of = |text: &str| text.rsplit('_').next().unwrap_or_default().to_owned();
    for text in world.stored.dump() {
        for number in ["5005550001", "5005550444", "5005559999"] {
            assert!(!text.contains(number), "a number is readable");
        }
        assert!(!text.contains(&secret_of(key.expose())) && !text.contains(&secret_of(token.expose())));
    }
}

/// Two that run at once have both found nothing.
#[test]
fn a_request_that_another_was_faster_than_makes_no_tenant() {
    let world = World::new();
    let make = |number, key: &str, now| {
        let once = Once::new(key.to_owned(), "body".to_owned(), now);
        let invitation = NewInvitation {
            id: InvitationId::new(now, &world.rng.bytes()),
            email: "owner@example.com",
            name: "",
            role: RoleRef::Builtin(BuiltinRole::TenantAdmin),
            departments: &[],
            created_at: now,
            expires_at: now.plus(credentials::INVITATION_LIFETIME),
        };
        let by = UserId::new(now, &world.rng.bytes());
        let made = world.try_owned(number, Owner::Invited { by, invitation, once: Some(&once) }, now);
        (made.err(), once.is_lost())
    };
    assert!(matches!(make("+15005550001", "one", NOW), (None, false)));
    let before = world.stored.dump();
    // It hears that, and not that the number is taken.
    for number in ["+15005550001", "+15005550002"] {
        assert!(matches!(make(number, "one", NOW), (Some(ProvisionError::TokenInvalid), true)));
    }
    assert!(matches!(make("+15005550001", "two", NOW), (Some(ProvisionError::NumberTaken), false)));
    assert_eq!(world.stored.dump(), before);
    assert!(matches!(make("+15005550002", "one", NOW.plus(idempotency::KEPT)), (None, false)));
}
