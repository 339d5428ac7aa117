-- The accounts of a tenant at the providers: with one, its calls are paid for there. Without a row the account of
-- the installation is used (the environment).
create table provider_credentials (
  tenant_id text not null references tenants (id),
  -- openai, chat, twilio.
  provider text not null,
  -- Sealed: the secrets as JSON.
  credential text not null,
  -- The name of the account where the provider has one (Twilio: AccountSid). Not secret.
  account_id text,
  updated_at bigint not null,
  primary key (tenant_id, provider)
);
