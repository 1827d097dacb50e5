import { type EmojiData, EmojiPicker as Picker } from 'frimousse';
import { Popover } from 'radix-ui';
import emojis from 'virtual:emojis';
import { i18n } from '../../../locales/i18n';

// They come with the page: nothing is asked of anybody else.
const data: EmojiData = {
  locale: 'en',
  categories: emojis.categories,
  emojis: emojis.emojis.map((e) => ({ ...e, version: 0, countryFlag: undefined, skins: undefined })),
  skinTones: { light: '', 'medium-light': '', medium: '', 'medium-dark': '', dark: '' },
};

/** EmojiPicker finds a sign by its name, or by looking. */
export default function EmojiPicker({ onPick, onClose }: { onPick: (sign: string) => void; onClose: () => void }) {
  return (
    <Popover.Root open onOpenChange={(open) => !open && onClose()}>
      <Popover.Anchor className="fanchor" />
      <Popover.Portal>
        <Popover.Content className="pop emoji" side="top" align="start" sideOffset={4} collisionPadding={8} aria-label={i18n._('Emoji')} onCloseAutoFocus={(e) => e.preventDefault()}>
          <Picker.Root columns={8} resolveEmojiData={() => Promise.resolve(data)} onEmojiSelect={({ emoji }) => onPick(emoji)}>
            <Picker.Search className="in" aria-label={i18n._('Search an emoji')} placeholder={i18n._('Search an emoji')} />
            <Picker.Viewport className="emojis">
              <Picker.Empty className="dim">{i18n._('Nothing has this name.')}</Picker.Empty>
              <Picker.List
                components={{
                  CategoryHeader: ({ category, ...props }) => (
                    <div {...props} className="h">
                      {category.label}
                    </div>
                  ),
                  Row: ({ children, ...props }) => (
                    <div {...props} className="erow">
                      {children}
                    </div>
                  ),
                  Emoji: ({ emoji, ...props }) => (
                    <button type="button" {...props} className="ebtn" title={emoji.label}>
                      {emoji.emoji}
                    </button>
                  ),
                }}
              />
            </Picker.Viewport>
          </Picker.Root>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
