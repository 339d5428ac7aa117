import { lazy, Suspense, useEffect, useRef } from "react";

const Opened = lazy(async () => ({ default: (await import("./palette-box")).OpenedPalette }));

/** Ctrl or ⌘ and K: to any page, to a call by its number or by what was said, to what is set up. */
export function Palette({ open, setOpen }: { open: boolean; setOpen: (open: boolean) => void }) {
  const was = useRef(false);
  was.current ||= open;
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setOpen(!open);
      }
    };
    window.addEventListener("keydown", key);
    return () => window.removeEventListener("keydown", key);
  }, [open, setOpen]);
  if (!was.current) return null;
  return (
    <Suspense fallback={null}>
      <Opened open={open} setOpen={setOpen} />
    </Suspense>
  );
}
