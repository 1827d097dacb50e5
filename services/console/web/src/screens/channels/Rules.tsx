import type { Schemas } from '../../api/client';
import { i18n } from '../../locales/i18n';
import { size } from '../../parts/size';
import { rows, type Send } from './limits';

/** Rules are what the channel can do, as a table. */
export function Rules({ rules }: { rules: Schemas['ChannelRules'] }) {
  return (
    <>
      <h3 className="sh">{i18n._('What this channel can do')}</h3>
      <div className="tw">
        <table className="rules">
          <tbody>
            {rows({ ...rules, send: rules.send as Send, comments: rules.comments as Send | undefined }, size).map(([what, limits]) => (
              <tr key={what}>
                <th scope="row">{what}</th>
                <td>{limits}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
