drop table dialogues;
alter table businesses drop column voice_mode;
