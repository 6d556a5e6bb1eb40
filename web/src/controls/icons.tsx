const PATHS = {
  back: "M15 5l-7 7 7 7",
  plus: "M12 5v14M5 12h14",
  send: "M4 12l16-7-5 16-3.5-6.5L4 12Z",
  attach: "M20 11.5 12.3 19.2a4.8 4.8 0 0 1-6.8-6.8l8-8a3.2 3.2 0 0 1 4.6 4.6l-8 8a1.6 1.6 0 0 1-2.3-2.3L15 7.5",
  close: "M6 6l12 12M18 6 6 18",
  info: "M12 11v6M12 7.5v.1M3.5 12a8.5 8.5 0 1 0 17 0 8.5 8.5 0 0 0-17 0",
  down: "M12 5v14M6 13l6 6 6-6",
  clock: "M12 7v5l3 2M4 12a8 8 0 1 0 16 0 8 8 0 0 0-16 0",
  alert: "M12 8v5M12 16.3v.1M4 12a8 8 0 1 0 16 0 8 8 0 0 0-16 0",
  muted: "M5 17h14l-2-3V10a5 5 0 0 0-8-4M7 9v5l-2 3M10.5 20h3M4 4l16 16",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  reply: "M10 7 4 12l6 5v-3.5c5 0 8 1.5 10 4.5-.5-5-3.5-8.5-10-9Z",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20c0-4 2.8-6.2 6.5-6.2s6.5 2.2 6.5 6.2M16 4.5a3.3 3.3 0 0 1 0 6.3M17.5 14c2.5.6 4 2.7 4 6",
  tick: "M4 12.5 9 17.5 19 6.5",
  ticks: "M1.5 12.8 6 17.3 15 7M12 16.4l.9.9L22 7",
  bell: "M5 17h14l-2-3v-4a5 5 0 0 0-10 0v4l-2 3M10.5 20h3",
  leave: "M14 5h5v14h-5M3.5 12H14M10 8l4 4-4 4",
} as const;

export type IconName = keyof typeof PATHS;

/** A line drawing beside a label; hidden from screen readers. */
export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" width={size} height={size} aria-hidden="true" focusable="false">
      <path d={PATHS[name]} fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}

export function Mark({ size = 28 }: { size?: number }) {
  return <img className="mark" src="/icon.svg" width={size} height={size} alt="" />;
}
