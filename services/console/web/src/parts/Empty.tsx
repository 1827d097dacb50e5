import type { ReactNode } from 'react';
import { Icon, type IconName } from './Icon';

/** Empty says of an empty place that it is empty, and where to go. */
export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <span className="art">
        <Icon name={icon} />
      </span>
      <h2>{title}</h2>
      {children}
    </div>
  );
}
