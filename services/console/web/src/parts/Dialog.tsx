import { Dialog as Radix } from 'radix-ui';
import type { ReactNode } from 'react';
import { i18n } from '../locales/i18n';
import { Icon } from './Icon';

/** toField gives the focus to the first field, where there is one: that is what a dialog with fields was opened for. */
function toField(e: Event): void {
  const field = (e.currentTarget as HTMLElement | null)?.querySelector<HTMLElement>('.body :is(input, textarea, select)');
  if (!field) return;
  e.preventDefault();
  field.focus();
}

/** Dialog holds the focus until it is closed, and gives it back. */
export function Dialog({ open, onClose, title, description, children, footer }: { open: boolean; onClose: () => void; title: string; description?: string; children: ReactNode; footer?: ReactNode }) {
  return (
    <Radix.Root open={open} onOpenChange={(now) => !now && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="scrim">
          <Radix.Content className="dlg" onOpenAutoFocus={toField} {...(!description && { 'aria-describedby': undefined })}>
            <header>
              <Radix.Title className="sp">{title}</Radix.Title>
              <Radix.Close className="ib" aria-label={i18n._('Close')} title={i18n._('Close')}>
                <Icon name="x" />
              </Radix.Close>
            </header>
            <div className="body">
              {description && <Radix.Description className="dim">{description}</Radix.Description>}
              {children}
            </div>
            {footer && <footer>{footer}</footer>}
          </Radix.Content>
        </Radix.Overlay>
      </Radix.Portal>
    </Radix.Root>
  );
}
