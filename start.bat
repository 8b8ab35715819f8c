@echo off
rem A double-click starts the show; from a console, arguments go to start.py.
chcp 65001 >nul
set PYTHONUTF8=1
set "PY="
py -3 -c "" >nul 2>nul && set "PY=py -3"
if not defined PY python -c "" >nul 2>nul && set "PY=python"
if not defined PY goto nopython
%PY% "%~dp0start.py" %*
set "CODE=%errorlevel%"
if not "%CODE%"=="0" pause
exit /b %CODE%

:nopython
echo Python 3.11 or newer is needed: https://www.python.org/downloads/ (tick "Add python.exe to PATH")
pause
exit /b 1
