drop table provider_credentials;
