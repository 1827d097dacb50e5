import { glyphs, icons } from './drawings';

export type IconName = keyof typeof icons;

/** Icon is a drawing that says nothing to screen readers: the word stands beside it, or in its button's name. */
export function Icon({ name, small, flip }: { name: IconName; small?: boolean; flip?: boolean }) {
  return (
    <svg className={`i${small ? ' s' : ''}${flip ? ' flip' : ''}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={icons[name]} />
    </svg>
  );
}

/** ChannelGlyph is the mark of a channel's type, with the channel's name as its title. */
export function ChannelGlyph({ type, name, large }: { type: string; name?: string; large?: boolean }) {
  return (
    <span className={`ch ${type in glyphs ? type : 'custom'}${large ? ' l' : ''}`} title={name}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={glyphs[type] ?? glyphs['custom']} />
      </svg>
      {name && <span className="sr">{name}</span>}
    </span>
  );
}

export function Mark({ className = 'mark' }: { className?: string }) {
  return (
    <svg className={className} viewBox="0 0 32 32" fill="none" stroke="currentColor" strokeWidth="2.6" strokeLinecap="round" aria-hidden="true">
      <path d="M5 6c0 8 11 6 11 14v6" />
      <path d="M27 6c0 8-11 6-11 14" />
      <path d="M16 5v7" opacity=".55" />
    </svg>
  );
}
