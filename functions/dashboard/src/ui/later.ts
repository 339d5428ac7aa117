// What is laid over a page (menus, lists, dialogs, tooltips) is React Aria's, which takes longer to read and to prepare than a whole page does. It
// is fetched when somebody begins to do something, and is there when they want it.

import { useEffect, useRef, useState } from "react";
import { useTranslation } from "../i18n";
import { toast } from "./toast";

type Over = typeof import("./over");

let there: Over | null = null;

async function fetched(): Promise<Over> {
  there ??= await import("./over");
  return there;
}

/** Whatever is done first: with the pointer, or with the keyboard. */
const SIGNS = ["pointermove", "pointerdown", "keydown"] as const;

/** Fetches it at the first sign that somebody is there. */
export function fetchWithFirstSign(): void {
  const come = () => {
    for (const sign of SIGNS) window.removeEventListener(sign, come);
    // Whoever needs it asks again, and tells what is wrong.
    fetched().catch(() => undefined);
  };
  for (const sign of SIGNS) window.addEventListener(sign, come, { passive: true });
}

/** `null` until it was `wanted` here for the first time and is there; from then on it stays, so that what closes can do so slowly. */
export function useOver(wanted: boolean): Over | null {
  const { t } = useTranslation();
  const [, drawAgain] = useState(false);
  const was = useRef(false);
  was.current ||= wanted;
  // What is there already opens with the key or the press that wants it, and has the focus before the next one.
  const missing = there === null;
  useEffect(() => {
    if (!wanted || !missing) return;
    let gone = false;
    fetched().then(
      () => gone || drawAgain(true),
      () => gone || toast(t("error.network.text"), "bad"),
    );
    return () => {
      gone = true;
    };
  }, [wanted, missing, t]);
  return was.current ? there : null;
}
