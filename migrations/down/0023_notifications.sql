drop index api_keys_expiry;
drop table notification_marks;
drop table notification_states;
drop table notifications;
