// The words of the reading page.

import { addTexts } from "../texts.js";

addTexts({
  "page.output": ["阅读", "Read"],

  "shelf.search": ["在所有故事里找", "Search all stories"],
  "shelf.scene": ["写作台", "Desk"],
  "shelf.log": ["回放", "Log"],
  "shelf.show": ["直播", "Live"],
  "shelf.lines": ["{n} 条", "{n} lines"],
  "shelf.aired": ["{n} 次播出", "{n} aired"],
  "shelf.none": ["还没有可读的故事。在「剧本」里打开一个，写几条，就会出现在这里。", "Nothing to read yet. Open a scenario, write a few lines, and it is here."],
  "shelf.searching": ["正在找……", "Searching…"],
  "shelf.found": ["{n} 个故事里找到「{q}」。", "“{q}” is in {n} stories."],
  "shelf.found.one": ["1 个故事里找到「{q}」。", "“{q}” is in 1 story."],
  "shelf.partly": ["只找了最近改过的，或只列出前面的：还可能有别的。", "Only the latest were searched or listed: there may be more."],
  "shelf.nothing": ["哪个故事里都没有「{q}」。", "“{q}” is in no story."],
  "shelf.hits": ["{n} 处", "{n} places"],
  "shelf.hits.one": ["1 处", "1 place"],

  "bar.all": ["全部", "All"],
  "bar.back": ["所有故事", "All stories"],

  "find.label": ["在故事里找", "Find in the story"],
  "find.count": ["{at} / {n}", "{at} / {n}"],
  "find.none": ["没有", "none"],
  "find.previous": ["上一处（Shift+Enter）", "Previous (Shift+Enter)"],
  "find.next": ["下一处（Enter）", "Next (Enter)"],
  "find.desk": ["在写作台看这一条", "This line at the desk"],

  "contents.title": ["目录", "Contents"],

  "look.title": ["版式", "Style"],
  "look.font": ["字体", "Typeface"],
  "look.serif": ["宋体", "Serif"],
  "look.sans": ["黑体", "Sans"],
  "look.size": ["字号", "Size"],
  "look.names": ["名字", "Names"],
  "look.avatars": ["头像", "Avatars"],
  "look.opening": ["前置剧情", "The opening"],
  "look.headings": ["检查点作章节标题", "Checkpoints as headings"],
  "look.quotes": ["不写名字时，对白用", "Without names, dialogue in"],

  "take.title": ["导出", "Export"],
  "take.as": ["按现在的版式：名字、头像、前置剧情、标题。", "As it is now: names, avatars, opening, headings."],
  "take.md": ["Markdown", "Markdown"],
  "take.txt": ["纯文本", "Plain text"],
  "take.html": ["网页（单个文件）", "Web page (one file)"],
  "take.epub": ["电子书 EPUB", "EPUB book"],
  "take.log": ["回放 _Log.json（全部内容）", "Log _Log.json (everything)"],
  "take.copy": ["复制为文本", "Copy as text"],
  "take.copied": ["已复制 {n} 字。", "{n} characters copied."],
  "take.not_copied": ["浏览器不让复制。请用「纯文本」导出。", "The browser refused. Take the plain text instead."],
  "take.print": ["打印", "Print"],
  "take.desk": ["在写作台打开", "Open at the desk"],
  "take.desk.new": ["在写作台接着写", "Go on at the desk"],

  "story.empty": ["这个故事还没有内容。", "There is nothing in this story yet."],
  "story.hidden": ["这里只有前置剧情，而「版式」里关掉了它。", "There is only the opening, which the style hides."],
});
