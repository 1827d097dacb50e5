declare module 'virtual:emojis' {
  const data: {
    categories: { index: number; label: string }[];
    emojis: { emoji: string; label: string; tags: string[]; category: number }[];
  };
  export default data;
}
