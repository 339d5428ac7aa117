// What the API says of a field, or why something cannot be done now, in the reader's language. The API has no code for each of these sentences,
// so the sentences are what tells them apart; `tests/unit/said.test.ts` holds every one that its source can say against this list.

import type en from "../i18n/en.json";

type Wrong = keyof typeof en.wrong;
type Refused = keyof typeof en.refused;

/** The first that fits counts. What its groups catch has a place in the words. */
export const WRONG: readonly (readonly [RegExp, Wrong])[] = [
  [/^is (?:a )?missing(?: field)?$/u, "missing"],
  [/^is given more than once$/u, "twice"],
  [/^(?:is not known here|holds a field that is not known)$/u, "unknown"],
  [/^holds the character U\+0000$|^is not UTF-8$/u, "characters"],
  [/^is too long$|^must not be longer than \d+ bytes$/u, "tooLong"],
  [/^must be (?:a whole number )?from (?<from>-?\d+) to (?<to>\d+)$/u, "range"],
  [/^must have 1 to (?<max>\d+) characters, none of them a control character$/u, "line"],
  [/^must have 1 to (?<max>\d+) characters, and no control characters but line breaks$/u, "text"],
  [/^must have at most (?<max>\d+) characters$/u, "atMost"],
  [/^must be words of letters, digits, `-` and `_` with 1 to (?<max>\d+) characters$/u, "tags"],
  [/^must be an e-mail address$/u, "email"],
  [/^must be a number in E\.164 form(?:, such as \+15005550006)?$/u, "number"],
  [/^must be a list of at most (?<max>\d+) different (?:known ids or words|names of fields|objects|texts)$/u, "list"],
  [/^must be permissions that a tenant can give$/u, "permissions"],
  [/^must have at least 12 characters and at most 256 bytes$/u, "password"],
  [/^must be two small letters(?: each)? \(ISO 639-1\)$/u, "language"],
  [/^may hold letters, digits, (?<others>-, _, \. and :|- and _) only$/u, "name"],
  [/^may hold digits, \* and # only$/u, "keys"],
  [/^may hold the variables (?<known>.*?) only\./u, "variables"],
  [/^must be a name of the tz database/u, "zone"],
  [/^must not have a minute in two of them$/u, "overlap"],
  [/^must be the token of a mail$/u, "mailToken"],
  [/^is not one of your tenants$/u, "notYours"],
  [/^is not the name of this tenant$/u, "notThisTenant"],
  [/^must be (?<from>\d+) to (?<to>\d+) visible ASCII characters$/u, "secret"],
  [/^must be AC and 32 hexadecimal digits$/u, "sid"],
  [/^is not of this provider$/u, "ofProvider"],
  [/^must be a department of this tenant, and not this one or below it$/u, "parent"],
  [/^must be a department of this tenant$/u, "department"],
  [/^must be departments of this tenant$/u, "departments"],
  [/^must be tenant_admin, manager, agent, viewer or the id of a role of this tenant$/u, "role"],
  [/^must be a user of this tenant, who is no other agent$/u, "agentUser"],
  [/^must be the id of a user of the tenant$/u, "user"],
  [/^must be 1 to 10 digits$/u, "digits"],
  [/^must not be the number itself$/u, "notItself"],
  [/^must not be a number that rings here$/u, "ringsHere"],
  [/^must not be a number that calls are transferred to$/u, "transferred"],
  [/^must be a number of the account at Twilio$/u, "ofAccount"],
  [/^must be a number of the tenant's own account at Twilio$/u, "ofOwnAccount"],
  [/^must be (?:the id of a business|a business of this tenant)$/u, "business"],
  [/^must be the id of an assistant that has been published$/u, "assistant"],
  [/^was never published$/u, "neverPublished"],
  [/^must not come together with text$/u, "notTogether"],
  [/^must hold 1 to 8 different words$/u, "words"],
  [/^must each have a letter or a digit$/u, "phrases"],
  [/^cannot be given together with `page`$|^must be what `next_cursor` said$/u, "cursor"],
  [/^must be before `until`, and at most (?<max>\d+) days before it$/u, "period"],
  [/^must not be skipped/u, "skipped"],
  [/^must be different names of tools that there are$/u, "tools"],
  [
    /^is not one of the values that are known$|^must be (?:near_field, far_field or off|available, busy or offline|calls|an order of the list|`message`|filters that|an object with `type`)/u,
    "oneOf",
  ],
  [/^is of the wrong type|^must be (?:text|true or false|an id|an object(?: of at most \d+ bytes, without U\+0000)?)$|^cannot be read$/u, "type"],
];

/** Sentences that begin so. */
export const REFUSED: readonly (readonly [string, Refused])[] = [
  ["This was done before", "done"],
  ["What is your own is kept for each tenant", "noTenant"],
  ["There are as many as a tenant may have", "full"],
  ["A business names it", "named"],
  ["No assistant takes part in this call", "noAssistant"],
  ["The tenant would be left without an administrator", "lastAdmin"],
  ["Steps are open", "steps"],
  ["The call goes on, or nothing was said", "nothingSaid"],
  ["The call has as many notes", "fullNotes"],
  ["Nobody deactivates themselves", "self"],
  ["Somebody has to be left who runs", "lastSuper"],
  ["Too many tickets are open", "tickets"],
  ["This telephone number is set up already", "numberTaken"],
  ["This tenant is being deleted", "deleting"],
  ["As many as a tenant may have go on", "fullTests"],
  ["As much has been said", "fullTest"],
  ["This key opens nothing any more", "deadKey"],
  ["Whoever looks into a tenant makes no keys", "keysOfOthers"],
  ["Twilio does not accept the credentials", "credentials"],
  ["There are as many versions", "fullVersions"],
  ["Somebody or something still belongs to it", "belongs"],
  ["There is one with this name already", "nameTaken"],
  ["You have as many views", "fullViews"],
  ["This view is somebody else", "theirView"],
];

const NO_VALUES = { from: "", known: "", max: "", others: "", to: "" };

/** The key of what is said of a field, with the values in it; `null`: it is not known. */
export function wrongOf(message: string): { key: `wrong.${Wrong}`; values: typeof NO_VALUES } | null {
  for (const [rule, key] of WRONG) {
    const found = rule.exec(message);
    if (found !== null) return { key: `wrong.${key}`, values: { ...NO_VALUES, ...found.groups } };
  }
  return null;
}

/** The key of why something cannot be done now; `null`: it is not known. */
export function refusedOf(message: string): `refused.${Refused}` | null {
  const found = REFUSED.find(([begin]) => message.startsWith(begin));
  return found === undefined ? null : `refused.${found[1]}`;
}
