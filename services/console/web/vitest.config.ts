import { lingui } from '@lingui/vite-plugin';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [lingui()],
  test: {
    projects: [
      { extends: true, test: { name: 'logic', include: ['tests/logic/**/*.test.ts'], setupFiles: ['tests/logic/page.ts'] } },
      { extends: true, test: { name: 'pictures', include: ['tests/pictures/*.test.ts'], globalSetup: ['tests/screens/process.ts'], testTimeout: 300_000, hookTimeout: 300_000, fileParallelism: false } },
      { extends: true, test: { name: 'figures', include: ['tests/figures/*.test.ts'], globalSetup: ['tests/screens/process.ts'], testTimeout: 1_800_000, hookTimeout: 1_800_000, fileParallelism: false } },
      { extends: true, test: { name: 'screens', include: ['tests/screens/**/*.test.ts'], globalSetup: ['tests/screens/process.ts'], testTimeout: 300_000, hookTimeout: 120_000, fileParallelism: false } },
    ],
  },
});
