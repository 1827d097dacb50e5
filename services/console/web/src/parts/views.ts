import type { View } from '../api/queries';
import { i18n } from '../locales/i18n';
import type { IconName } from './Icon';

const icons: Record<View, IconName> = {
  all: 'inbox',
  mine: 'user',
  unassigned: 'inbox',
  assigned: 'users',
  resolved: 'check',
  unresponded: 'reply',
  team: 'users',
  snoozed: 'alarm',
  blocked: 'shield',
};

const names: Record<View, () => string> = {
  all: () => i18n._('All'),
  mine: () => i18n._('Mine'),
  unassigned: () => i18n._('Unassigned'),
  assigned: () => i18n._('Assigned'),
  resolved: () => i18n._('Resolved'),
  unresponded: () => i18n._('Unresponded'),
  team: () => i18n._('My team'),
  snoozed: () => i18n._('Snoozed'),
  blocked: () => i18n._('Blocked'),
};

export const viewIcon = (view: View): IconName => icons[view];

export const viewName = (view: View) => names[view]();
