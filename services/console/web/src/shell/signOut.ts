import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { api } from '../api/client';

/** useSignOut ends the session. Nothing that was read stays in the page. */
export function useSignOut(): () => Promise<void> {
  const cache = useQueryClient();
  const navigate = useNavigate();
  return async () => {
    await api.POST('/v1/auth/logout').catch(() => undefined);
    cache.clear();
    await navigate({ to: '/signin', search: {} });
  };
}
