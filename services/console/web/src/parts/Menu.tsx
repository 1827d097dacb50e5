import { DropdownMenu } from 'radix-ui';
import type { ReactElement, ReactNode } from 'react';
import { Icon, type IconName } from './Icon';

interface MenuProps {
  label: string;
  align?: 'start' | 'end';
  children: ReactNode;
  /** whether it is open, where somebody else opens it too */
  open?: boolean;
  onOpen?: (open: boolean) => void;
}

/** Menu is what opens below a button: arrows move in it, letters jump, Esc closes it and gives the focus back. */
export function Menu({ button, label, align = 'start', children, open, onOpen }: MenuProps & { button: ReactElement }) {
  return (
    <DropdownMenu.Root modal={false} open={open} onOpenChange={onOpen}>
      <DropdownMenu.Trigger asChild>{button}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="pop" aria-label={label} align={align} sideOffset={4} collisionPadding={8} loop>
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

/** IconMenu is a menu below an icon that says what is in it. */
export function IconMenu({ icon = 'more', small, tabIndex, ...menu }: MenuProps & { icon?: IconName; small?: boolean; tabIndex?: number }) {
  return (
    <Menu
      {...menu}
      button={
        <button type="button" className={`ib${small ? ' s' : ''}`} aria-label={menu.label} title={menu.label} tabIndex={tabIndex}>
          <Icon name={icon} />
        </button>
      }
    />
  );
}

export function MenuItem({ icon, children, end, bad, disabled, onSelect }: { icon?: IconName; children: ReactNode; end?: ReactNode; bad?: boolean; disabled?: boolean; onSelect: () => void }) {
  return (
    <DropdownMenu.Item className={`mi${bad ? ' bad' : ''}`} disabled={disabled} onSelect={onSelect}>
      {icon && <Icon name={icon} />}
      {children}
      {end !== undefined && <span className="end">{end}</span>}
    </DropdownMenu.Item>
  );
}

export function MenuChoice({ icon, checked, children, end, onSelect }: { icon?: IconName; checked: boolean; children: ReactNode; end?: ReactNode; onSelect: () => void }) {
  return (
    <DropdownMenu.CheckboxItem className="mi" checked={checked} role="menuitemradio" onSelect={onSelect}>
      {icon && <Icon name={icon} />}
      {children}
      <span className="end">{end ?? (checked && <Icon name="check" small />)}</span>
    </DropdownMenu.CheckboxItem>
  );
}

export function MenuHead({ children }: { children: ReactNode }) {
  return <DropdownMenu.Label className="h">{children}</DropdownMenu.Label>;
}

export function MenuLine() {
  return <DropdownMenu.Separator asChild><hr /></DropdownMenu.Separator>;
}

/** SubMenu opens beside an item. */
export function SubMenu({ icon, label, end, children }: { icon: IconName; label: string; end?: ReactNode; children: ReactNode }) {
  return (
    <DropdownMenu.Sub>
      <DropdownMenu.SubTrigger className="mi">
        <Icon name={icon} />
        {label}
        <span className="end row t2 faint">
          {end}
          <Icon name="right" small flip />
        </span>
      </DropdownMenu.SubTrigger>
      <DropdownMenu.Portal>
        <DropdownMenu.SubContent className="pop" sideOffset={4} collisionPadding={8} loop>
          {children}
        </DropdownMenu.SubContent>
      </DropdownMenu.Portal>
    </DropdownMenu.Sub>
  );
}
