import { useLater } from '../../../live/live';
import { i18n } from '../../../locales/i18n';

/** RowSkeletons have the heights of the rows to come; after a while a sentence is added, and a way out. */
export function RowSkeletons({ again }: { again: () => void }) {
  const slow = useLater(true, 3_000);
  const stuck = useLater(true, 10_000);
  return (
    <div className="rows" id="rows" aria-busy="true" aria-label={i18n._('Loading')} role="tabpanel">
      {Array.from({ length: 8 }, (_, n) => (
        <div key={n} className="crow" aria-hidden="true">
          <span className="sk row-start-1 row-end-4 size-10 rounded-full" />
          <span className="sk col-start-2 my-1 h-3 w-1/2" />
          <span className="sk col-start-2 my-1 h-3 w-5/6" />
          <span className="sk col-start-2 my-1 h-2 w-1/3" />
        </div>
      ))}
      <p className="px-4 py-2 dim t2" role="status">
        {slow && i18n._('Still loading. The server answers slowly.')}{' '}
        {stuck && (
          <button type="button" className="btn link t2" onClick={again}>
            {i18n._('Stop and retry')}
          </button>
        )}
      </p>
    </div>
  );
}
