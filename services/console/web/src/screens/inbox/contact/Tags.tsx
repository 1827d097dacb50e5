import { useState } from 'react';
import { i18n } from '../../../locales/i18n';
import { Icon } from '../../../parts/Icon';

/** Tags are taken off with their button and added by typing; Enter or a comma ends one. */
export function Tags({ tags, onChange }: { tags: string[]; onChange: (tags: string[]) => Promise<boolean> }) {
  const [typed, setTyped] = useState<string>();
  const add = async () => {
    const tag = typed?.trim();
    if (!tag || tags.includes(tag)) setTyped(undefined);
    else if (await onChange([...tags, tag])) setTyped(undefined);
  };
  return (
    <div className="row wrap gap-1">
      {tags.map((tag) => (
        <span key={tag} className="chip">
          <bdi className="cut">{tag}</bdi>
          <button type="button" aria-label={i18n._('Remove the tag {tag}', { tag })} title={i18n._('Remove')} onClick={() => void onChange(tags.filter((t) => t !== tag))}>
            <Icon name="x" small />
          </button>
        </span>
      ))}
      {typed === undefined ? (
        <button type="button" className="btn link t2" onClick={() => setTyped('')}>
          <Icon name="plus" small /> {i18n._('Add')}
        </button>
      ) : (
        <input
          className="in tagin"
          autoFocus
          dir="auto"
          maxLength={255}
          aria-label={i18n._('New tag')}
          value={typed}
          onChange={(e) => setTyped(e.target.value)}
          onBlur={() => void add()}
          onKeyDown={(e) => {
            if (e.nativeEvent.isComposing) return;
            if (e.key === 'Enter' || e.key === ',') {
              e.preventDefault();
              void add();
            }
            if (e.key === 'Escape') setTyped(undefined);
          }}
        />
      )}
    </div>
  );
}
