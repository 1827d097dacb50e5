import type { IconName } from '../parts/Icon';

/** Place is an entry of the main menu. permission: who lacks it does not see the entry. */
export interface Place {
  to: string;
  icon: IconName;
  label: () => string;
  permission?: string;
  /** it is there with the demo only */
  demo?: true;
}

/** inside says whether an address is one of this site, so that a sign-in can lead back to it and to nowhere else. */
export function inside(to: string): boolean {
  return to.startsWith('/') && !to.startsWith('//') && !to.startsWith('/\\') && !to.startsWith('/signin');
}

/** toSignIn is where somebody without a session goes; to is where they come back to. */
export function toSignIn(from: string, ended: boolean) {
  const to = inside(from) ? from : undefined;
  return { to: '/signin' as const, search: { ...(to && to !== '/' && { to }), ...(ended && { ended: true as const }) }, replace: true };
}
